// The bytes of configs/digits inside the program, so that it finds them wherever it runs. C, because #embed costs the
// compiler milliseconds where an array literal in Swift costs it minutes.
#include "digits.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char train_images[] = {
#embed "../../configs/digits/digits-train-images-idx3-ubyte.gz"
};
static const unsigned char train_labels[] = {
#embed "../../configs/digits/digits-train-labels-idx1-ubyte.gz"
};
static const unsigned char test_images[] = {
#embed "../../configs/digits/digits-t10k-images-idx3-ubyte.gz"
};
static const unsigned char test_labels[] = {
#embed "../../configs/digits/digits-t10k-labels-idx1-ubyte.gz"
};

digits_file digits_train_images(void) { return (digits_file){train_images, sizeof train_images}; }
digits_file digits_train_labels(void) { return (digits_file){train_labels, sizeof train_labels}; }
digits_file digits_test_images(void) { return (digits_file){test_images, sizeof test_images}; }
digits_file digits_test_labels(void) { return (digits_file){test_labels, sizeof test_labels}; }
