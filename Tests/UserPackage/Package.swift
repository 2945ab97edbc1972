// swift-tools-version: 6.2
import PackageDescription

/// Programs of a user of the library: a package of its own, which sees what is public.
let package = Package(
    name: "user-package",
    dependencies: [.package(name: "tributary", path: "../..")],
    targets: [
        .testTarget(
            name: "UserTests",
            dependencies: [
                .product(name: "Dataflow", package: "tributary"), .product(name: "Training", package: "tributary"),
                .product(name: "Interchange", package: "tributary"), .product(name: "Messaging", package: "tributary"),
                .product(name: "Cluster", package: "tributary"),
            ])
    ]
)
