#pragma once
#include <stddef.h>

/// A file of configs/digits as it was when the program was built: a gzipped IDX file.
typedef struct {
    const unsigned char *bytes;
    size_t count;
} digits_file;

digits_file digits_train_images(void);
digits_file digits_train_labels(void);
digits_file digits_test_images(void);
digits_file digits_test_labels(void);
