import FlowRuns
import Manifests
import Reports
import TestSupport
import Testing
import Text

@Suite("Loading manifests")
struct ManifestLoaderTests {
    @Test("valid manifests load without diagnostics")
    func valid() throws {
        let files = try ManifestFolder.valid.names.map(ManifestFolder.valid.file)
        let (manifests, diagnostics) = ManifestLoader().load(files)
        #expect(DiagnosticsReport(diagnostics, sources: files).written() == "")
        #expect(manifests.targets.map(\.name) == ["in-git", "local", "prod", "shared"])
        #expect(manifests.flows.count == 13)
        #expect(manifests.digests.count == files.count)
    }

    @Test("the result does not depend on the order of the files or on duplicates")
    func order() throws {
        let files =
            try ManifestFolder.valid.names.map(ManifestFolder.valid.file)
            + ManifestFolder.faulty.names.map(ManifestFolder.faulty.file)
        let expected = ManifestLoader().load(files)
        var random = SeededGenerator(seed: 1)
        for _ in 0..<5 {
            let found = ManifestLoader().load((files + files.prefix(3)).shuffled(using: &random))
            #expect(found.manifests.targets == expected.manifests.targets)
            #expect(found.manifests.flows == expected.manifests.flows)
            #expect(found.manifests.digests == expected.manifests.digests)
            #expect(found.diagnostics == expected.diagnostics)
        }
    }

    @Test("the design's manifest loads with all its values")
    func design() throws {
        let files = [try ManifestFolder.valid.file("target"), try ManifestFolder.valid.file("design")]
        let manifests = ManifestLoader().load(files).manifests
        let target = try #require(manifests.targets.first)
        #expect(target.service == .address("https://platform.adobe.io/data/foundation/flowservice"))
        #expect(target.ledger == .sqlite(path: "manifests/.sluice/prod.sqlite"))
        #expect(target.limits == Limits())
        #expect(target.wireForm == WireForm())

        let flow = try #require(manifests.flows.first)
        #expect(flow.id.description == "3abea21c-7e36-4be1-bec1-d3bad0e3e0de")
        #expect(flow.place == Place(file: "manifests/design.yaml", line: 8, column: 15, length: 36))
        #expect((flow.manifest, flow.owner, flow.target) == ("crm-contacts", "data-platform", "prod"))
        #expect((flow.name, flow.source, flow.overlap, flow.retries.times) == ("contacts", .table, .error, 2))
        #expect(flow.deltaColumn?.column == DeltaColumn(name: "DOB"))
        #expect(
            flow.windows.map(\.window) == [
                Window(startSeconds: 1_651_584_991, endSeconds: 1_651_588_591),
                Window(startSeconds: 1_651_590_000, endSeconds: 1_651_593_600),
            ])
        #expect(
            flow.windows.map { flow.place(of: $0).description } == [
                "manifests/design.yaml:15:11", "manifests/design.yaml:16:11",
            ])
        let series = try #require(flow.series.first)
        #expect((series.every, series.from, series.until) == (.days(1), Timestamp(seconds: 1_704_063_600), .now))
        #expect((series.timeZone, series.lag) == ("Europe/Berlin", .seconds(7200)))
        #expect(flow.reruns.map(\.id) == ["fix-418"])
        #expect(flow.reruns.map(\.reason) == ["late files arrived"])
        #expect(
            flow.acknowledged.map(\.run.description) == [
                "3fb0418e-1804-45d6-8d56-dd51f05c0baf", "9830305a-985f-47d0-b030-5a985fd7d004",
            ])
        #expect(flow.acknowledged.map(\.window) == [nil, flow.windows[1].window])
    }

    @Test("a manifest for several targets declares common and individual values in each target")
    func severalTargets() throws {
        let files = [try ManifestFolder.valid.file("targets"), try ManifestFolder.valid.file("several")]
        let (manifests, diagnostics) = ManifestLoader().load(files)
        #expect(diagnostics.isEmpty)
        let local = manifests.flows.filter { $0.target == "local" }
        let shared = manifests.flows.filter { $0.target == "shared" }
        #expect(local.map { $0.id.description.prefix(2) } == ["c4", "c1"])
        #expect(shared.map { $0.id.description.prefix(2) } == ["c2", "c4", "c3"])
        let (orders, allOrders) = (try #require(local.last), try #require(shared.first))
        #expect((orders.name, allOrders.name) == ("orders", "all-orders"))
        #expect(orders.deltaColumn?.column == allOrders.deltaColumn?.column)
        #expect(orders.batch == nil && allOrders.batch == .days(7))
        #expect(orders.series.map(\.from) == [Timestamp(year: 2024, month: 12, day: 1)!])
        #expect(allOrders.series.map(\.from) == [Timestamp(year: 2024, month: 1, day: 1)!])
        #expect((orders.place.line, allOrders.place.line) == (17, 21))
        #expect(shared.last?.predecessors == [allOrders.id])
        #expect(manifests.flows.allSatisfy { $0.pauses.map(\.reason) == ["the sandboxes are moved"] })
    }

    @Test("a plain number of retries applies to failed runs; a mapping names the states")
    func retries() throws {
        func flow(_ line: String) -> FlowDeclaration? {
            let yaml = """
                {apiVersion: sluice/v1, kind: RunManifest, metadata: {name: x}, spec: {target: t, flows: [
                {flowId: 3abea21c-7e36-4be1-bec1-d3bad0e3e0de, source: file, \(line)}]}}
                """
            return ManifestLoader().load([SourceFile(path: "x.yaml", bytes: Array(yaml.utf8))]).manifests.flows.first
        }
        #expect(flow("retryFailed: 3")?.retries == Retries(3, of: [.failed]))
        #expect(flow("retryFailed: ~")?.retries == Retries())
        #expect(
            flow("retryFailed: {times: 2, states: [empty, partial]}")?.retries == Retries(2, of: [.partial, .empty]))
        #expect(flow("expect: {minimumRecords: 7}")?.expectation == Expectation(minimumRecords: 7))
    }

    @Test("a rerun names a window or a range")
    func reruns() throws {
        let lines = """
            rerun:
              - {start: 100, end: 200, id: a, reason: why, from: ~}
              - {from: 100, until: 200, id: b, reason: why}
            """
        let (manifests, diagnostics) = try load(manifest(flow: lines))
        #expect(diagnostics.isEmpty)
        let reruns = try #require(manifests.flows.first).reruns
        #expect(reruns.map(\.isRange) == [false, true])
        #expect(Set(reruns.map(\.window)) == [Window(startSeconds: 100, endSeconds: 200)])
    }

    @Test("a flow replaces the flows that it names, and those that these replace")
    func replaced() throws {
        let files = [try ManifestFolder.valid.file("target"), try ManifestFolder.valid.file("life")]
        let flows = ManifestLoader().load(files).manifests.flows
        #expect(flows.map { $0.replaced.map { $0.description.prefix(1) } } == [["1", "2", "4"], [], ["2"]])
        #expect(flows.first?.replaces.map(\.place.line) == [27, 28])
    }

    @Test("a flow comes after the flows that it names, by name or by ID")
    func after() throws {
        let files = [try ManifestFolder.valid.file("target"), try ManifestFolder.valid.file("life")]
        let flows = ManifestLoader().load(files).manifests.flows
        #expect(flows.map { $0.predecessors.map { $0.description.prefix(1) } } == [["1"], ["3"], []])
    }

    @Test("quoted seconds, offsets and zero fractions are valid times")
    func times() throws {
        let file = try ManifestFolder.valid.file("times")
        let flow = try #require(ManifestLoader().load([file]).manifests.flows.first)
        #expect(
            flow.windows.map(\.window) == [
                Window(startSeconds: 1_651_584_991, endSeconds: 1_651_588_591),
                Window(startSeconds: 1_651_582_800, endSeconds: 1_651_593_600),
                Window(startSeconds: 1_651_608_000, endSeconds: 1_651_624_199), Window(startSeconds: 0, endSeconds: 10),
            ])
    }

    @Test(
        "a ledger's path is relative to its manifest's folder",
        arguments: [
            ("prod.yaml", "sqlite:a.sqlite", "a.sqlite"),
            ("x/y/prod.yaml", "sqlite:./a.sqlite", "x/y/a.sqlite"),
            ("x/prod.yaml", "sqlite:../a.sqlite", "x/../a.sqlite"),
            ("x/prod.yaml", "sqlite:/a.sqlite", "/a.sqlite"),
            ("/prod.yaml", "sqlite:a.sqlite", "/a.sqlite"),
        ])
    func ledgerPaths(file: String, ledger: String, path: String) throws {
        let yaml = """
            {apiVersion: sluice/v1, kind: Target, metadata: {name: t}, spec: {service: embedded,
            organization: o, sandbox: s, ledger: "\(ledger)"}}
            """
        let (manifests, diagnostics) = ManifestLoader().load([SourceFile(path: file, bytes: Array(yaml.utf8))])
        #expect(diagnostics.isEmpty)
        #expect(manifests.targets.first?.ledger == .sqlite(path: path))
    }

    @Test("a digest is the SHA-256 of the file's bytes")
    func digests() {
        let digests = ManifestLoader().load([SourceFile(path: "a.yaml", bytes: Array("# abc".utf8))]).manifests.digests
        #expect(
            digests == [
                FileDigest(path: "a.yaml", sha256: "ed88ccf8ca7ecff67c780a0dd5a06c8342cd8de02ba5d99d63a48c8ffc83f0ae")
            ])
    }

    @Test("a flow in two files of one target is an error that names both places")
    func flowTwice() throws {
        let first = SourceFile(path: "a.yaml", bytes: Array(manifest().replacing("name: test", with: "name: a").utf8))
        let second = SourceFile(path: "b.yaml", bytes: Array(manifest().replacing("name: test", with: "name: b").utf8))
        let target = try ManifestFolder.valid.file("target")
        let found = ManifestLoader().load([second, target, first]).diagnostics
        #expect(found.map(\.code) == [.flowDeclaredTwice])
        #expect(found.first?.place?.description == "b.yaml:7:15")
        #expect(found.first?.notes.map(\.place.description) == ["a.yaml:7:15"])
    }

    @Test("a target without flows causes a warning that suggests the command to list the flows")
    func warningsWithoutFlows() throws {
        let (manifests, _) = ManifestLoader().load([
            try ManifestFolder.valid.file("target"), try ManifestFolder.valid.file("targets"),
            SourceFile(path: "a.yaml", bytes: Array(manifest().utf8)),
        ])
        let warnings = manifests.warningsWithoutFlows(manifests.targets)
        #expect(warnings.map(\.code) == Array(repeating: .targetWithoutFlows, count: 3))
        #expect(warnings.map(\.severity) == Array(repeating: .warning, count: 3))
        #expect(
            try #require(warnings.first?.suggestion).hasSuffix(
                "sluice flows manifests/targets.yaml --target in-git --format yaml"))
    }

    @Test("one flow may be declared in two targets")
    func twoTargets() throws {
        let files = [
            try ManifestFolder.valid.file("target"), try ManifestFolder.valid.file("targets"),
            SourceFile(path: "a.yaml", bytes: Array(manifest().utf8)),
            SourceFile(path: "b.yaml", bytes: Array(manifest(target: "local").utf8)),
        ]
        let (manifests, diagnostics) = ManifestLoader().load(files)
        #expect(diagnostics.isEmpty)
        #expect(manifests.flows.map(\.target) == ["local", "prod"])
    }

    /// Returns the diagnostics for two targets that declare the same flow.
    private func codesOfTwoTargets(
        _ one: String, _ other: String, ledgers: [String] = ["a", "b"], sandboxes: [String] = ["prod", "prod"]
    ) -> [DiagnosticCode] {
        let files = zip(["one", "other"], zip([one, other], zip(ledgers, sandboxes))).map { name, rest in
            let (service, (ledger, sandbox)) = rest
            let target = """
                {apiVersion: sluice/v1, kind: Target, metadata: {name: \(name)}, spec: {service: "\(service)",
                organization: o@AdobeOrg, sandbox: \(sandbox), ledger: "sqlite:\(ledger)"}}
                ---

                """
            return SourceFile(path: "\(name).yaml", bytes: Array((target + manifest(target: name)).utf8))
        }
        return ManifestLoader().load(files).diagnostics.map(\.code)
    }

    @Test("one flow cannot be declared in two targets of one sandbox, with any spelling of the service address")
    func oneSandbox() {
        #expect(codesOfTwoTargets("http://localhost:8080", "http://127.0.0.1:8080//") == [.flowInTwoTargets])
        #expect(codesOfTwoTargets("https://a.example/x", "https://A.example:443/x/") == [.flowInTwoTargets])
        #expect(codesOfTwoTargets("http://localhost:8080", "http://localhost:8081") == [])
        #expect(codesOfTwoTargets("https://a.example", "https://a.example", sandboxes: ["prod", "stage"]) == [])
    }

    @Test("two embedded targets with the same ledger share a simulator, and so are one sandbox")
    func embeddedSandboxes() {
        #expect(codesOfTwoTargets("embedded", "embedded", ledgers: ["a", "a"]) == [.flowInTwoTargets])
        #expect(codesOfTwoTargets("embedded", "embedded", ledgers: ["a", "b"]) == [])
    }

    @Test("a target has its canonical identity and the identity as originally written")
    func identities() throws {
        let targets = ManifestLoader().load([try ManifestFolder.valid.file("targets")]).manifests.targets
        #expect(
            targets.map(\.identities) == [
                ["https://platform.adobe.io/data/foundation/flowservice 1234@AdobeOrg git"],
                ["embedded 1234@AdobeOrg dev"],
                ["http://localhost:8080 1234@AdobeOrg dev", "http://[::1]:8080 1234@AdobeOrg dev"],
            ])
        #expect(targets.map(\.identity) == targets.map(\.identities[0]))
    }

    @Test("a target that could not be read is not reported as unknown")
    func noFollowUp() {
        let faulty = "{apiVersion: sluice/v1, kind: Target, metadata: {name: prod}, spec: {service: embedded}}"
        let files = [
            SourceFile(path: "a.yaml", bytes: Array(faulty.utf8)),
            SourceFile(path: "b.yaml", bytes: Array(manifest().utf8)),
        ]
        let codes = Set(ManifestLoader().load(files).diagnostics.map(\.code))
        #expect(codes == [.missingKey])
    }

    @Test("a duplicate window is found at any distance in a long list")
    func manyWindows() throws {
        let windows = (0..<20_000).map { "{start: \($0 * 10), end: \($0 * 10 + 10)}" } + ["{start: 0, end: 10}"]
        let diagnostics = try load(manifest(flow: "windows:\n" + windows.map { "  - \($0)\n" }.joined())).diagnostics
        #expect(diagnostics.map(\.code) == [.windowDeclaredTwice])
        #expect(diagnostics.first?.place?.line == 20_010)
        #expect(diagnostics.first?.notes.map(\.place.line) == [10])
    }
}
