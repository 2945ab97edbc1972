// swift-tools-version: 6.2
import PackageDescription

/// One list for every target: Swift 6 mode comes with the tools version; warnings are errors.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

/// Programs in Sources/Examples/NAME, tested by what they print.
let examples = [
    "matmul", "counter", "feed", "xor", "dynamic-bpnn", "perceptron", "activations", "vanishing-gradient",
]

let package = Package(
    name: "tributary",
    products: [
        .library(name: "Dataflow", targets: ["Dataflow"]),
        .library(name: "Training", targets: ["Training"]),
        .library(name: "Interchange", targets: ["Interchange"]),
        .library(name: "Messaging", targets: ["Messaging"]),
        .library(name: "Cluster", targets: ["Cluster"]),
        .library(name: "TributaryCommand", targets: ["TributaryCommand"]),
        .executable(name: "tributary", targets: ["tributary"]),
    ],
    dependencies: [
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
    ],
    targets: [
        .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
        .target(name: "CKernels"),
        .target(name: "CDevices", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
        .target(name: "CProcess"),
        .target(name: "Dataflow", dependencies: ["CDevices", "CKernels", "COneDNN", "CZlib"], swiftSettings: strict),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CDigits"),
        // Generated code, in a module of its own: it is compiled beside Dataflow, not after it.
        .target(
            name: "Schemas", dependencies: [protobuf],
            exclude: ["tensorflow.proto", "tensor_bundle.proto", "meta_graph.proto"], swiftSettings: strict),
        .target(
            name: "Interchange", dependencies: ["Dataflow", "Schemas", "CKernels", "CZlib", protobuf],
            swiftSettings: strict),
        .target(name: "Training", dependencies: ["Dataflow", "Interchange", "CDigits"], swiftSettings: strict),
        .systemLibrary(name: "CNNG", providers: [.apt(["libnng-dev"])]),
        .target(name: "Messaging", dependencies: ["CNNG", "CProcess", crypto], swiftSettings: strict),
        .target(
            name: "Cluster",
            dependencies: [
                "CProcess", "Dataflow", "Interchange", "Training", "Messaging", protobuf,
                .product(name: "Yams", package: "Yams"), .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                crypto,
            ],
            exclude: ["Wire/control.proto"], swiftSettings: strict),
        .target(
            name: "TributaryCommand",
            dependencies: [
                "Cluster", "Dataflow", "Interchange", "Messaging", "Training",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/CommandLine", swiftSettings: strict),
        .executableTarget(name: "tributary", dependencies: ["TributaryCommand"], swiftSettings: strict),
        .executableTarget(
            name: "tributary-bench",
            dependencies: [
                "Cluster", "Dataflow", "Messaging", "Training", "TributaryCommand",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "tributary-fuzz",
            dependencies: [
                "Cluster", "Dataflow", "Interchange", "Messaging", "Schemas", "Training", protobuf,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        // What the tests of several modules share.
        .target(
            name: "OperationCoverage", dependencies: ["Dataflow"], path: "Tests/OperationCoverage",
            swiftSettings: strict),
        .testTarget(
            name: "DataflowTests", dependencies: ["Dataflow", "OperationCoverage"],
            resources: [.copy("Extremes"), .copy("Signatures.json"), .copy("Vectors")], swiftSettings: strict),
        .testTarget(
            name: "InterchangeTests",
            dependencies: ["Interchange", "Dataflow", "OperationCoverage", "Schemas", protobuf, "tributary-fuzz"],
            resources: [.copy("Checkpoints"), .copy("Graphs"), .copy("Models")], swiftSettings: strict),
        .testTarget(
            name: "TrainingTests", dependencies: ["Training", "Interchange", "Dataflow"], swiftSettings: strict),
        .testTarget(name: "MessagingTests", dependencies: ["Messaging"], swiftSettings: strict),
        .testTarget(
            name: "ClusterTests", dependencies: ["Cluster", "Dataflow", "Interchange", "Messaging", "Training"],
            resources: [.copy("Graphs"), .copy("Programs")],
            swiftSettings: strict),
        // Whole clusters in virtual time.
        .testTarget(
            name: "ClusterSimulationTests", dependencies: ["Cluster", "Dataflow", "Training"],
            path: "Tests/ClusterSimulation", swiftSettings: strict),
        .testTarget(
            name: "CommandLineTests",
            dependencies: [
                "Cluster", "Dataflow", "Interchange", "Messaging", "Schemas", "TributaryCommand", "tributary", protobuf,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .testTarget(name: "ExampleTests", swiftSettings: strict),
        .target(name: "Display", dependencies: ["Dataflow"], path: "Sources/Examples/Display", swiftSettings: strict),
    ]
        + examples.map {
            .executableTarget(
                name: $0, dependencies: ["Dataflow", "Training", "Display"], path: "Sources/Examples/\($0)",
                swiftSettings: strict)
        }
)
