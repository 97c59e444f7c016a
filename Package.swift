// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "sluice",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", "3.12.3"..<"5.0.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
        .target(name: "YAML", dependencies: ["CLibYAML"]),
        .target(name: "FlowRuns"),
        .target(
            name: "Manifests", dependencies: ["FlowRuns", "YAML", .product(name: "Crypto", package: "swift-crypto")]),
        .testTarget(name: "YAMLTests", dependencies: ["YAML"], exclude: ["Golden"]),
        .testTarget(name: "FlowRunsTests", dependencies: ["FlowRuns"]),
        .testTarget(
            name: "ManifestsTests", dependencies: ["FlowRuns", "Manifests", "YAML"], exclude: ["Faulty", "Valid"]),
    ],
    swiftLanguageModes: [.v6]
)
