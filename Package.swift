// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "sluice",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", "3.12.3"..<"5.0.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.0.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
        .target(name: "YAML", dependencies: ["CLibYAML"]),
        .target(name: "FlowRuns"),
        .target(
            name: "Manifests", dependencies: ["FlowRuns", "YAML", .product(name: "Crypto", package: "swift-crypto")]),
        .target(name: "Planner", dependencies: ["FlowRuns", "Manifests"]),
        .target(name: "Ledger", dependencies: ["FlowRuns"]),
        .target(name: "SQLiteLedger", dependencies: ["Ledger", .product(name: "GRDB", package: "GRDB.swift")]),
        .testTarget(name: "YAMLTests", dependencies: ["YAML"], exclude: ["Golden"]),
        .testTarget(name: "FlowRunsTests", dependencies: ["FlowRuns"]),
        .testTarget(
            name: "ManifestsTests", dependencies: ["FlowRuns", "Manifests", "YAML"], exclude: ["Faulty", "Valid"]),
        .testTarget(name: "PlannerTests", dependencies: ["FlowRuns", "Manifests", "Planner"]),
        .testTarget(name: "LedgerTests", dependencies: ["FlowRuns", "Ledger", "SQLiteLedger"]),
        .testTarget(
            name: "SQLiteLedgerTests",
            dependencies: ["FlowRuns", "Ledger", "SQLiteLedger", .product(name: "GRDB", package: "GRDB.swift")]),
    ],
    swiftLanguageModes: [.v6]
)
