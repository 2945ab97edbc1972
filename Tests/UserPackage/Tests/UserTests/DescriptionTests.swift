import Dataflow
import Interchange
import Messaging
import Testing
import Training

@Suite("What printing tells")
struct DescriptionTests {
    @Test("data: how much, of what")
    func data() throws {
        let images = try Dataset(
            features: .zeros(.uint8, [20, 6]), labels: .zeros(.int32, [20]), classes: 2, classNames: ["cat", "dog"],
            featureShape: [2, 3])
        #expect("\(images)" == "20 examples of 6 features (2 × 3), 2 classes")
        #expect("\(Preprocessing(fittedTo: images, scale: .minMax))".contains("scale min_max of 6 features"))
        var schedule = try BatchSchedule(examples: 1000, batch: 32, seed: 7)
        _ = schedule.indices(ofBatch: 3)
        #expect("\(schedule)" == "batches of 32 of 1000 examples, shuffled by seed 7")
        #expect("\(Vocabulary((0..<100).map(String.init)))".hasSuffix("8, 9, and 90 more"))
    }

    @Test("files: their path, and what is in them")
    func files() throws {
        let folder = try Folder()
        let tensors = [(name: "w", tensor: Tensor([[1.0, 2]])), (name: "b", tensor: Tensor([0.0]))]
        try Safetensors.write(tensors, to: folder.file("a.safetensors"))
        try Npz.write(tensors, to: folder.file("a.npz"))
        let safetensors = try SafetensorsFile(folder.file("a.safetensors"))
        #expect("\(safetensors)" == "\(folder.file("a.safetensors")): b float32[1], w float32[1, 2]")
        #expect("\(try NpzFile(folder.file("a.npz")))" == "\(folder.file("a.npz")): b, w")
    }

    @Test("a private key is not printed")
    func keys() {
        let tls = TLS.server(certificate: .file("ps0.pem"), key: .text("SECRET"))
        var dumped = ""
        dump(tls, to: &dumped)
        for text in ["\(tls)", String(reflecting: tls), dumped] { #expect(!text.contains("SECRET"), "\(text)") }
        #expect("\(tls)".hasPrefix("certificate ps0.pem, key text of 6 bytes"))
    }
}
