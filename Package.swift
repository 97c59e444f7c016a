// swift-tools-version: 6.1
import PackageDescription

let fuzzed: [Target.Dependency] = [
    "FlowRuns", "FlowService", "HTTPFlowService", "Ledger", "Manifests", "Planner", "Reports", "YAML",
]

let package = Package(
    name: "sluice",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "sluice", targets: ["sluice"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-crypto", "3.12.3"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.30.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.0.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.20.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.30.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(name: "CBuildInfo"),
        .target(name: "YAML", dependencies: ["CLibYAML", "Text"]),
        .target(name: "Text"),
        .target(name: "FlowRuns", dependencies: ["Text"]),
        .target(
            name: "Manifests",
            dependencies: [
                "FlowRuns", "Text", "YAML", .product(name: "Crypto", package: "swift-crypto"),
            ]),
        .target(name: "Planner", dependencies: ["FlowRuns", "Ledger", "Manifests", "Text"]),
        .target(name: "Ledger", dependencies: ["FlowRuns", "Text"]),
        .target(
            name: "SQLiteLedger",
            dependencies: [
                "FlowRuns", "Ledger", "Text", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ]),
        .target(name: "GitLedger", dependencies: ["FlowRuns", "Ledger", "SQLiteLedger", "Text"]),
        .target(
            name: "PostgresLedger",
            dependencies: ["FlowRuns", "Ledger", .product(name: "NIOPosix", package: "swift-nio")]),
        .target(name: "FlowService", dependencies: ["FlowRuns"]),
        .target(
            name: "HTTPFlowService",
            dependencies: [
                "CZlib", "FlowRuns", "FlowService", "Text",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        .target(
            name: "Applier",
            dependencies: ["FlowRuns", "FlowService", "Ledger", "Manifests", "Planner"]),
        .target(
            name: "FlowServiceSimulator",
            dependencies: [
                "FlowRuns", "Text",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        .target(
            name: "Reports",
            dependencies: [
                "FlowRuns", "Ledger", "Manifests", "Planner", "Text",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            resources: [.embedInCode("Coverage/coverage.css"), .embedInCode("Coverage/coverage.js")]),
        .executableTarget(
            name: "sluice",
            dependencies: [
                "Applier", "CBuildInfo", "FlowRuns", "FlowService", "FlowServiceSimulator", "GitLedger",
                "HTTPFlowService", "Ledger", "Manifests", "Planner", "PostgresLedger", "Reports",
                "SQLiteLedger", "Text", "YAML",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            resources: [.embedInCode("Schemas")]),
        .target(name: "TestSupport", path: "Tests/TestSupport"),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "Applier", "CLibYAML", "FlowRuns", "FlowService", "GitLedger", "HTTPFlowService", "Ledger", "Manifests",
                "Planner",
                "PostgresLedger", "SQLiteLedger", "TestSupport", "YAML",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ], path: "Tests/Benchmarks"),
        .testTarget(name: "YAMLTests", dependencies: ["TestSupport", "Text", "YAML"], exclude: ["Golden"]),
        .testTarget(name: "FlowRunsTests", dependencies: ["FlowRuns"]),
        .testTarget(name: "TextTests", dependencies: ["Text"]),
        .testTarget(
            name: "ManifestsTests",
            dependencies: [
                "FlowRuns", "Manifests", "Reports", "TestSupport", "Text", "YAML",
            ],
            exclude: ["Faulty", "Valid"]),
        .testTarget(
            name: "PlannerTests", dependencies: ["FlowRuns", "Ledger", "Manifests", "Planner", "TestSupport", "Text"]),
        .testTarget(
            name: "LedgerTests",
            dependencies: [
                "FlowRuns", "GitLedger", "Ledger", "PostgresLedger", "SQLiteLedger", "TestSupport", "Text",
            ]),
        .testTarget(
            name: "SQLiteLedgerTests",
            dependencies: ["FlowRuns", "Ledger", "SQLiteLedger", .product(name: "GRDB", package: "GRDB.swift")]),
        .testTarget(
            name: "GitLedgerTests",
            dependencies: [
                "FlowRuns", "GitLedger", "Ledger", "TestSupport", .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        .testTarget(
            name: "PostgresLedgerTests", dependencies: ["FlowRuns", "Ledger", "PostgresLedger", "TestSupport"]),
        .testTarget(
            name: "HTTPFlowServiceTests",
            dependencies: [
                "FlowRuns", "FlowService", "FlowServiceSimulator", "HTTPFlowService",
                "TestSupport", "Text",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            exclude: ["Golden", "Exchanges/exchange.schema.json"]),
        .testTarget(
            name: "FlowServiceSimulatorTests",
            dependencies: [
                "FlowRuns", "FlowServiceSimulator", "TestSupport",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
            ], exclude: ["Golden"]),
        .testTarget(
            name: "ApplierTests",
            dependencies: [
                "Applier", "FlowRuns", "FlowService", "FlowServiceSimulator", "HTTPFlowService", "Ledger", "Manifests",
                "Planner", "Text", .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "ReportsTests",
            dependencies: [
                "FlowRuns", "Ledger", "Manifests", "Planner", "Reports",
                "TestSupport", "Text",
                .product(name: "Crypto", package: "swift-crypto"),
            ], exclude: ["Golden"]),
        .testTarget(
            name: "EndToEnd",
            dependencies: [
                "FlowRuns", "SQLiteLedger", "sluice", "TestSupport",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ],
            exclude: ["Golden", "Sandbox"]),
        .testTarget(
            name: "Fuzzing", dependencies: fuzzed, path: "Tests/Fuzzing",
            exclude: ["Corpus", "Dictionaries", "Fuzzer.swift", "run"]),
    ],
    swiftLanguageModes: [.v6]
)

// Tests/Fuzzing/run sets it: what the tests replay becomes a program of libFuzzer, and what it reaches is instrumented.
// The linker gold fails on its debug information.
if Context.environment["SLUICE_FUZZING"] != nil {
    let isInstrumented: [SwiftSetting] = [.unsafeFlags(["-O", "-sanitize=fuzzer,address"])]
    package.targets.removeAll { $0.type == .test }
    for target in package.targets where target.type == .regular { target.swiftSettings = isInstrumented }
    package.targets.append(
        .executableTarget(
            name: "Fuzzing", dependencies: fuzzed, path: "Tests/Fuzzing",
            exclude: ["Corpus", "CorpusTests.swift", "Dictionaries", "run"], swiftSettings: isInstrumented,
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]))
}
