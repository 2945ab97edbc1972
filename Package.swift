// swift-tools-version: 6.2
import PackageDescription

/// One list for every target: Swift 6 mode comes with the tools version; warnings are errors.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "tributary",
    products: [
        .library(name: "Dataflow", targets: ["Dataflow"]),
    ],
    dependencies: [
    ],
    targets: [
        .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
        .target(name: "CKernels"),
        .target(name: "Dataflow", dependencies: ["CKernels", "COneDNN"], swiftSettings: strict),
        .testTarget(
            name: "DataflowTests", dependencies: ["Dataflow"], resources: [.copy("Vectors")], swiftSettings: strict),
    ]
)
