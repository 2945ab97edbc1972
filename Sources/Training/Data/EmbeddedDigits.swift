internal import CDigits
internal import Interchange

/// The digits that ship inside the program: 4,000 images of MNIST to train on, 1,000 to test on.
///
/// 28 × 28 pixels of 0…255, ten classes. `configs/digits/README.md` names source and licence.
public enum EmbeddedDigits {
    /// Throws `FormatError` only if the program's file is damaged.
    public static func split() throws -> DataSplit {
        try IDXReader.split(
            trainingImages: open(digits_train_images(), "train-images"),
            trainingLabels: open(digits_train_labels(), "train-labels"),
            testImages: open(digits_test_images(), "t10k-images"),
            testLabels: open(digits_test_labels(), "t10k-labels"))
    }

    private static func open(_ file: digits_file, _ name: String) -> Gzip {
        Gzip(bytes: UnsafeRawBufferPointer(start: file.bytes, count: file.count), name: "embedded digits-\(name)")
    }
}
