import FlowRuns
import Foundation
import Manifests
import TestSupport
import Testing
import Text

@testable import Reports

@Suite("Generated manifests")
struct ManifestTemplateTests {
    private func load(_ entries: [ManifestTemplate.Entry], target: String = "prod") -> (ManifestSet, [Diagnostic]) {
        let declaration = """
            apiVersion: sluice/v1
            kind: Target
            metadata: {name: "\(target)"}
            spec: {service: embedded, organization: o, sandbox: s, ledger: "sqlite:l.sqlite"}
            """
        let yaml = ManifestTemplate(target: target, entries: entries).yaml
        let loaded = ManifestLoader().load([
            SourceFile(path: "target.yaml", bytes: Array(declaration.utf8)),
            SourceFile(path: "flows.yaml", bytes: Array(yaml.utf8)),
        ])
        return (loaded.manifests, loaded.diagnostics)
    }

    private func entry(
        name: String? = nil, column: DeltaColumn? = nil, runs: [RecordedRun] = []
    ) -> ManifestTemplate.Entry {
        ManifestTemplate.Entry(
            id: Sample.flowID(1), name: name, source: .table, deltaColumn: column, runs: runs)
    }

    private func run(_ id: String, _ window: Window?, at time: Timestamp = Sample.asOf) -> RecordedRun {
        Sample.run(1, window, .succeeded, origin: .service, id: id, at: time)
    }

    @Test(
        "any text in a name, a column or a run ID is read back unchanged",
        arguments: [
            "plain", "yes", "null", "~", "12", "0x1F", "1e3", "2024-01-01", "a: b", "- a", "# a", "'a'", "\"a\"", "\\n",
            "{a}", "&a", "*a", "!a", "@a", "`a`", "%a", "|", ">", "?", "é 連絡先 👩\u{200D}🌾", "\u{202E}abc", "\u{FEFF}x",
            "\u{FFFE}\u{FFFF}", "\u{E0041}", "a\u{2028}b", " a ", "://x:y@z",
        ])
    func texts(_ text: String) throws {
        let runs = [run(text, nil)]
        let (set, diagnostics) = load([entry(name: text, column: DeltaColumn(name: text, dateFormat: text), runs: runs)]
        )
        #expect(diagnostics == [])
        let flow = try #require(set.flows.first)
        #expect(flow.name != nil)
        #expect(flow.deltaColumn?.column == DeltaColumn(name: text, dateFormat: text))
        #expect(flow.acknowledged.map(\.run.description) == [text])
    }

    @Test("days of a zone with a changing clock become one series of that zone, golden in its lines")
    func zones() throws {
        func series(_ zone: String, _ every: String, localZone: String? = nil) throws -> (lines: [String], [Window]) {
            let manifest = """
                apiVersion: sluice/v1
                kind: RunManifest
                metadata: {name: m}
                spec:
                  target: t
                  flows:
                    - flowId: \(Sample.flowID(1))
                      source: file
                      series: [{every: \(every), from: 2024-01-01, until: 2024-05-01, timeZone: \(zone)}]
                """
            let declared = ManifestLoader().load([SourceFile(path: "m.yaml", bytes: Array(manifest.utf8))]).manifests
            let windows = try #require(declared.flows.first?.series.first).windows(dueAt: Sample.asOf).flatMap(
                Array.init)
            let runs = windows.enumerated().map { run("r\($0)", $1) }
            let template = ManifestTemplate(target: "prod", entries: [entry(runs: runs)], localZone: localZone)
            let lines = template.yaml.split(separator: "\n").filter { $0.contains("{every") || $0.contains("{start") }
            let (read, diagnostics) = load([entry(runs: runs)])
            #expect(!diagnostics.hasErrors)
            let again = try #require(read.flows.first)
            #expect(
                again.windows.map(\.window)
                    + again.series.flatMap { $0.windows(dueAt: Sample.asOf).flatMap(Array.init) }
                    == windows)
            return (lines.map { $0.trimmingCharacters(in: .whitespaces) }, windows)
        }
        let berlin = "{every: P1D, from: 2024-01-01, until: 2024-05-01, timeZone: Europe/Berlin}    # 121 windows"
        #expect(try series("Europe/Berlin", "P1D").lines == ["- \(berlin)"])
        #expect(try series("Europe/Paris", "P1D").lines == ["- \(berlin)"], "the rules are the same")
        #expect(
            try series("Europe/Paris", "P1D", localZone: "Europe/Paris").lines
                == ["- \(berlin.replacing("Berlin", with: "Paris"))"])
        #expect(try series("America/New_York", "P1M").lines.first?.contains("timeZone: America/New_York") == true)
        #expect(
            try series("UTC", "P1D").lines == ["- {every: P1D, from: 2024-01-01, until: 2024-05-01}    # 121 windows"])
        // Without a change of the clock, only the machine's own zone is a reason to prefer one.
        let kolkata = try series("Asia/Kolkata", "P1D").lines
        #expect(kolkata.count == 1 && !kolkata[0].contains("timeZone"), "\(kolkata)")
        #expect(
            try series("Asia/Kolkata", "P1D", localZone: "Asia/Kolkata").lines[0].contains("timeZone: Asia/Kolkata"))
    }

    @Test("values that a manifest cannot express are left out, and the manifest stays valid", arguments: 1...60)
    func anything(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        func text() -> String {
            let count = [0, 1, 3, 20, 1100].randomElement(using: &generator) ?? 1
            var text = String.UnicodeScalarView()
            for _ in 0..<count {
                let limit: UInt32 = [0x80, 0x300, 0x3000, 0x10FFFF].randomElement(using: &generator) ?? 0x80
                text.append(Unicode.Scalar(UInt32.random(in: 0...limit, using: &generator)) ?? " ")
            }
            return String(text)
        }
        func time() -> Int64 {
            let limits: [Int64] = [10, 2_000_000_000, 99_999_999_999, 5_000_000_000_000]
            let limit = limits.randomElement(using: &generator) ?? 10
            return Int64.random(in: -limit / 10...limit, using: &generator) * 1000
                + Int64.random(in: 0...999, using: &generator)
        }
        let runs = (0..<Int.random(in: 0...30, using: &generator)).map { number in
            let (one, other) = (Timestamp(milliseconds: time()), Timestamp(milliseconds: time()))
            return run("\(text())\(number % 7)", Window(start: min(one, other), end: max(one, other)))
        }
        let column = Bool.random(using: &generator) ? DeltaColumn(name: text(), timezone: text()) : nil
        let (set, diagnostics) = load([entry(name: text(), column: column, runs: runs)])
        #expect(!diagnostics.hasErrors, "\(DiagnosticsReport(diagnostics, sources: []).written())")
        #expect(set.flows.count == 1)
    }

    @Test("the target's name may look like another YAML type, or have the maximum length")
    func targets() {
        for target in ["true", "1", "1e3", "-", String(repeating: "a", count: 100)] {
            let (set, diagnostics) = load([entry()], target: target)
            #expect(!diagnostics.hasErrors)
            #expect(set.flows.first?.target == target)
        }
    }

    @Test("a window with several runs is declared once, and overlapping windows are allowed")
    func windows() throws {
        let runs = [Sample.window(Sample.newYear, Sample.day), Sample.window(Sample.newYear, Sample.day * 2)]
        let (set, diagnostics) = load([entry(runs: (runs + runs).enumerated().map { run("r\($0)", $1) })])
        #expect(diagnostics == [])
        let flow = try #require(set.flows.first)
        #expect(flow.windows.map(\.window) == runs)
        #expect(flow.overlap == .allow)
        #expect(flow.acknowledged.map(\.run.description) == ["r2", "r3"], "each window's other run")
    }

    @Test("regular windows are folded into series, and times are readable, golden")
    func folded() throws {
        let hour = Duration.seconds(3600)
        let day = Sample.day
        let months = (1...4).map { month in
            Window(
                start: Timestamp(year: 2023, month: month, day: 1)!,
                end: Timestamp(year: 2023, month: month + 1, day: 1)!)!
        }
        let days = (0..<60).map { Sample.window(Sample.newYear + day * $0, day) }
        let quarters = (0..<5).map { Sample.window(Sample.newYear + day * 60 + .seconds(900 * $0), .seconds(900)) }
        let berlin = (0..<3).map { Sample.window(Sample.newYear + day * (100 + $0 * 7) - hour, day * 7) }
        let single = [Sample.window(Sample.newYear + day * 200, hour), Sample.window(Sample.newYear + day * 201, hour)]
        let all = months + days + quarters + berlin + single
        let entry = entry(
            name: "contacts", column: DeltaColumn(name: "DOB"),
            runs: all.enumerated().map { run("r\($0)", $1) } + [run("hidden", nil)])
        try expectGolden(ManifestTemplate(target: "prod", entries: [entry]).yaml, "starting.yaml")
        let (set, diagnostics) = load([entry])
        #expect(diagnostics == [])
        let flow = try #require(set.flows.first)
        #expect(flow.series.map(\.every) == [.months(1), .days(1), .fixed(.seconds(900)), .days(7)])
        #expect(flow.windows.map(\.window) == single)
    }

    @Test("folded windows are declared exactly once", arguments: 1...200)
    func foldedRandomly(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var windows: Set<Window> = []
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            let length = [1, 60, 900, 3600, 86_400, 7 * 86_400].randomElement(using: &generator)! as Int64
            var start = Sample.newYear + .seconds(Int64.random(in: 0...40, using: &generator) * 21_600)
            for _ in 0..<Int.random(in: 1...9, using: &generator) {
                windows.insert(Sample.window(start, .seconds(length)))
                start += .seconds(length)
            }
            let month = Int.random(in: 1...11, using: &generator)
            windows.insert(
                Window(
                    start: Timestamp(year: 2024, month: month, day: 1)!,
                    end: Timestamp(year: 2024, month: month + 1, day: 1)!)!)
        }
        let (set, diagnostics) = load([entry(runs: windows.enumerated().map { run("r\($0)", $1) })])
        #expect(diagnostics == [])
        let flow = try #require(set.flows.first)
        let declared = flow.windows.map(\.window) + flow.series.flatMap { $0.windows(dueAt: .max).flatMap(\.self) }
        #expect(declared.sorted() == windows.sorted())
    }

    @Test("the first line refers to the schema for editors")
    func modeline() {
        let yaml = ManifestTemplate(target: "prod", entries: [entry()]).yaml
        #expect(yaml.hasPrefix("# yaml-language-server: $schema=manifest.schema.json\n"))
    }

    @Test("if every flow is already declared, the manifest is only a comment")
    func nothing() {
        #expect(ManifestTemplate(target: "prod", entries: []).yaml.hasPrefix("# "))
    }
}
