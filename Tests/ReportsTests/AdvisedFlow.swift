import FlowRuns
import Manifests
import Planner
import Testing
import Text

@testable import Reports

/// A generated flow with mistakes in its manifest and runs of others, and a person who follows the suggestions that
/// `plan` prints, to the letter.
struct AdvisedFlow {
    /// A suggestion as it is printed.
    struct Advice: Hashable {
        let code: DiagnosticCode
        let message: String
        let help: String
    }

    private static let half = Duration.seconds(1800)
    private static let slotCount = 24

    private var random: SeededGenerator
    private(set) var manifest = EditedManifest()
    private(set) var runs: [RecordedRun] = []
    private var record = FlowRecord(id: Sample.flowID(1), contactedAt: Sample.asOf)
    /// The windows that runs of unknown window ingested; `nil` for a run without data.
    private var truths: [RunID: Window?] = [:]
    /// The delta column of a table-based source.
    private var column = DeltaColumn(name: "DOB")
    /// How often the person wants each half hour to be ingested, apart from reruns.
    private var wanted = [Int](repeating: 0, count: slotCount)
    /// How often each half hour was ingested at first.
    private var before: [Int] = []
    /// How often each half hour was ingested by runs that the person does not accept as declared reruns.
    private var foreign = [Int](repeating: 0, count: slotCount)
    /// The half hours that are declared by windows and series.
    private(set) var declared: Set<Int> = []
    /// The messages that the person has read, and with which nothing is wrong.
    private(set) var accepted: Set<String> = []

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        drawSource()
        drawWindows()
        if random.happens(0.7) { drawRuns() }
        drawReruns()
        drawAcknowledgements()
        before = ingested
    }

    // MARK: Draw

    private mutating func drawSource() {
        guard random.happens(0.4) else { return manifest.write("source: file") }
        manifest.write("source: table")
        let names = ["DOB", "ORDER: AT", "#1", "yes", "it's {new}", "say \"so\""]
        column = DeltaColumn(
            name: names.randomElement(using: &random) ?? "DOB", dateFormat: random.happens(0.3) ? "yyyy-MM-dd" : nil,
            timezone: random.happens(0.2) ? "Europe/Berlin" : nil)
        if random.happens(0.5) { record.deltaColumn = column }
        let isKnown = record.deltaColumn != nil
        if random.happens(isKnown ? 0.6 : 0.1) {
            manifest.write("deltaColumn: {name: OTHER}")
        } else if random.happens(isKnown ? 0.5 : 0.2) {
            manifest.write(SuggestedYAML.deltaColumn(column))
        }
    }

    private mutating func drawWindows() {
        if random.happens(0.3) { manifest.write("overlap: \(random.happens(0.5) ? "trim" : "error")") }
        if random.happens(0.4) { manifest.write("retryFailed: 2") }
        if random.happens(0.5) {
            let end = Int.random(in: 2...5, using: &random) * 2
            addSeries(0, end, name: "first")
            if random.happens(0.4) {
                let from = random.happens(0.5) ? end - 2 : end - 1
                addSeries(from, from + Int.random(in: 1...3, using: &random) * 2, name: "second")
            }
            if random.happens(0.4) { addWindow(2, random.happens(0.5) ? 4 : 5) }
            if random.happens(0.3) { manifest.write("batch: PT\(Int.random(in: 2...3, using: &random))H") }
        } else {
            for hour in 0..<Int.random(in: 1...5, using: &random) where random.happens(0.8) {
                addWindow(hour * 2, hour * 2 + 2)
            }
            if random.happens(0.4) { addWindow(1, 3) }
            if random.happens(0.2) { addWindow(0, 6) }
        }
    }

    private mutating func addSeries(_ start: Int, _ end: Int, name: String) {
        manifest.add(
            "{every: PT1H, from: \(Self.time(start)), until: \(Self.time(end))}    # \(name)", to: "series")
        declare(start, end)
    }

    private mutating func addWindow(_ start: Int, _ end: Int) {
        manifest.add(SuggestedYAML.window(Self.window(start, end)), to: "windows")
        declare(start, end)
    }

    private mutating func declare(_ start: Int, _ end: Int) {
        declared.formUnion(start..<end)
        for slot in start..<end { wanted[slot] = 1 }
    }

    private mutating func drawRuns() {
        let canRetry = manifest.yaml.contains("retryFailed")
        for hour in 0..<6 where random.happens(0.35) {
            let window = Self.window(hour * 2, hour * 2 + 2)
            if canRetry, random.happens(0.3) {
                add(window, .failed)
                if random.happens(0.5) { add(window, .rejected, attempt: 2, failure: "not found") }
            } else {
                add(window, .succeeded)
            }
        }
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let start = Int.random(in: 0...9, using: &random)
            let window = Self.window(start, start + Int.random(in: 1...6, using: &random))
            let state = [RunState.succeeded, .accepted, .partial].randomElement(using: &random) ?? .succeeded
            for _ in 0..<(random.happens(0.3) ? 2 : 1) { add(window, state, origin: .service) }
        }
        for _ in 0..<(random.happens(0.4) ? Int.random(in: 1...2, using: &random) : 0) {
            let start = Int.random(in: 0...9, using: &random)
            let id = add(nil, .succeeded, origin: .service)
            let truth = Self.window(start, start + Int.random(in: 1...3, using: &random))
            truths.updateValue(random.happens(0.8) ? truth : nil, forKey: id)
        }
    }

    @discardableResult
    private mutating func add(
        _ window: Window?, _ state: RunState, attempt: Int? = nil, origin: RunOrigin = .request,
        failure: String? = nil
    ) -> RunID {
        let id = random.uuid()
        let last = runs.filter { $0.window == window && $0.identity.rerun == nil }.count
        runs.append(
            Sample.run(
                1, window, state, attempt: attempt ?? last + 1, origin: origin,
                id: state.isVoid ? nil : random.happens(0.9) ? id : "0x\(100 + runs.count)", failure: failure,
                at: Sample.newYear + .seconds(86_400 + runs.count)))
        return runs.last?.id ?? RunID(id)!
    }

    private mutating func drawReruns() {
        for number in 0..<(random.happens(0.5) ? Int.random(in: 1...2, using: &random) : 0) {
            let start = Int.random(in: 0...9, using: &random)
            let anything = Self.window(start, start + Int.random(in: 1...3, using: &random))
            let window = random.happens(0.5) ? runs.compactMap(\.window).randomElement(using: &random) : nil
            let rerun = window ?? anything
            let id = number == 0 ? "yes" : "fix-2"
            manifest.add(
                "{start: \(rerun.start), end: \(rerun.end), id: \(yamlText(id)), reason: late files}", to: "rerun")
        }
    }

    private mutating func drawAcknowledgements() {
        let known = runs.filter { $0.window != nil && $0.origin == .service }
        guard random.happens(0.2), let run = known.randomElement(using: &random), let id = run.id else { return }
        let start = Int.random(in: 0...9, using: &random)
        acknowledge(SuggestedYAML.acknowledgement(of: id, window: SuggestedYAML.window(Self.window(start, start + 1))))
    }

    private static func time(_ slot: Int) -> Timestamp { Sample.newYear + half * slot }

    private static func window(_ start: Int, _ end: Int) -> Window { Sample.window(time(start), half * (end - start)) }

    private func slots(of window: Window) -> [Int] {
        (0..<Self.slotCount).filter { Self.window($0, $0 + 1).overlaps(window) }
    }

    // MARK: Plan and apply

    func plan(_ declaration: FlowDeclaration) -> FlowPlan {
        Planner(asOf: Sample.asOf).plan(
            declaration, record: record,
            runs: runs.sorted { Self.order($0).lexicographicallyPrecedes(Self.order($1)) })
    }

    private static func order(_ run: RecordedRun) -> [String] {
        [
            run.window?.start.description ?? "", run.window?.end.description ?? "", run.identity.rerun ?? "",
            String(run.identity.attempt),
        ]
    }

    /// Lets every planned run succeed, and every running one end. A service that ran the flow reports its delta column.
    ///
    /// - Returns: the plan that nothing can be applied of any more.
    @discardableResult
    mutating func apply(_ declaration: FlowDeclaration) -> FlowPlan {
        for index in runs.indices where runs[index].state == .accepted { runs[index].state = .succeeded }
        for round in 0... {
            let plan = plan(declaration)
            guard !plan.diagnostics.hasErrors, !plan.actions.isEmpty, round < 10 else {
                #expect(round < 10, "the plan never ends\n\(manifest.yaml)")
                return plan
            }
            for action in plan.actions {
                let run = RunID("run-\(runs.count)")!
                // The service repeats the window that the failed run had.
                if let failed = action.kind.retriggered, let truth = truths[failed] { truths[run] = truth }
                runs.append(
                    RecordedRun(
                        identity: action.identity(in: declaration.id), state: .succeeded, id: run,
                        deltaColumn: action.deltaColumn, recordedAt: Sample.asOf, records: 1000))
            }
        }
        return plan(declaration)
    }

    /// How often each half hour was ingested.
    var ingested: [Int] {
        var counts = [Int](repeating: 0, count: Self.slotCount)
        for run in runs where run.state.isAccepted && run.state != .failed {
            guard let window = run.window ?? truth(of: run) else { continue }
            for slot in slots(of: window) { counts[slot] += 1 }
        }
        return counts
    }

    /// How often each half hour may be ingested: as often as it was or as the person wants, and once more for each rerun.
    /// A rerun of a range repeats every window that it touches.
    func allowed(by declaration: FlowDeclaration) -> [Int] {
        var counts = zip(zip(before, wanted).map(max), foreign).map(+)
        let windows = Set(runs.filter { $0.identity.rerun == nil }.compactMap { $0.window ?? truth(of: $0) })
        for rerun in declaration.reruns {
            for window in rerun.isRange ? windows.filter(rerun.window.overlaps) : [rerun.window] {
                for slot in slots(of: window) { counts[slot] += 1 }
            }
        }
        return counts
    }

    private func truth(of run: RecordedRun) -> Window? { run.id.flatMap { truths[$0] ?? nil } }

    // MARK: Follow advice

    /// The suggestions of a plan, as they are printed.
    func advice(of plan: FlowPlan) -> [Advice] {
        let text = DiagnosticsReport(plan.diagnostics, sources: []).written(.text)
        var advice: [Advice] = []
        var head: (code: DiagnosticCode, message: String)?
        for line in text.split(separator: "\n") {
            if let match = line.wholeMatch(of: /(?:error|warning)\[(SLU\d+)\]: (.*)/) {
                head = DiagnosticCode(rawValue: String(match.1)).map { ($0, String(match.2)) }
            } else if let match = line.wholeMatch(of: /\s*= help: (.*)/), let head {
                advice.append(Advice(code: head.code, message: head.message, help: String(match.1)))
            }
        }
        return advice.filter { !accepted.contains($0.message) }
    }

    /// Follows a suggestion.
    mutating func follow(_ advice: Advice) {
        switch advice.code {
        case .deltaColumnMissing:
            manifest.write(
                advice.help.flow("deltaColumn: ").replacing("{name: COLUMN}", with: String(describing: columnYAML)))
        case .deltaColumnFixed:
            if random.happens(0.5) {
                manifest.write(advice.help.flow("deltaColumn: "))
            } else {
                manifest.remove("deltaColumn")
            }
        case .deltaColumnUnknown: record.deltaColumn = column
        case .windowDeclaredTwice: removeDuplicate(advice)
        case .windowOverlapsRecorded, .windowOverlapsDeclared:
            manifest.write(String(advice.help.firstMatch(of: /'(overlap: \w+)'/)?.1 ?? ""))
        case .rerunOfNothing: followRerun(advice)
        case .runOfUnknownWindow: acknowledgeTruth(advice)
        case .windowRunTwice, .windowsIngestedTwice: advice.help.entries.forEach { acknowledge($0) }
        case .runTakenForRerun: followTaken(advice)
        case .acknowledgedWindowContradicted:
            let run = advice.message.runs[0]
            let entry = manifest.entry(containing: run, in: "acknowledged") ?? ""
            let corrected = entry.replacing(/window: {.*}}/, with: "\(advice.help.flow("window: "))}")
            manifest.replace(run, in: "acknowledged", by: random.happens(0.5) ? corrected : nil)
        default: Issue.record("nobody follows \(advice)")
        }
    }

    /// The column as a person writes it.
    private var columnYAML: String { String(SuggestedYAML.deltaColumn(column).dropFirst("deltaColumn: ".count)) }

    private mutating func acknowledge(_ entry: String) {
        manifest.add(entry.replacing("reason: …", with: "reason: checked"), to: "acknowledged")
    }

    private mutating func removeDuplicate(_ advice: Advice) {
        if advice.help.contains("remove it from 'windows'"), let window = advice.message.windows.first {
            manifest.replace(SuggestedYAML.window(window), in: "windows", by: nil)
        } else {
            let first = manifest.entry(containing: "# first", in: "series") ?? ""
            let second = manifest.entry(containing: "# second", in: "series") ?? ""
            let begin = second.firstMatch(of: /from: (\S+),/)?.1 ?? ""
            manifest.replace("# first", in: "series", by: first.replacing(/until: \S+}/, with: "until: \(begin)}"))
        }
    }

    private mutating func followRerun(_ advice: Advice) {
        let id = String(advice.message.firstMatch(of: /rerun '(.*?)'/)?.1 ?? "")
        let entry = advice.help.entries.first
        if advice.help.contains("under 'windows' instead") {
            manifest.replace("id: \(yamlText(id))", in: "rerun", by: nil)
            if let entry { manifest.add(entry, to: "windows") }
            for slot in advice.message.windows.first.map(slots) ?? [] {
                declared.insert(slot)
                wanted[slot] = 1
            }
        } else {
            manifest.replace(
                "id: \(yamlText(id))", in: "rerun", by: entry?.replacing("reason: …", with: "reason: late files"))
        }
    }

    private mutating func acknowledgeTruth(_ advice: Advice) {
        guard let entry = advice.help.entries.first, let id = RunID(entry.runs[0]), let truth = truths[id] else {
            Issue.record("\(advice)")
            return
        }
        let unknown = ", window: {start: …, end: …}"
        #expect(entry.contains(unknown))
        acknowledge(
            entry.replacing(unknown, with: truth.map { ", window: {start: \($0.start), end: \($0.end)}" } ?? ""))
    }

    private mutating func followTaken(_ advice: Advice) {
        guard random.happens(0.7) else {
            accepted.insert(advice.message)
            return
        }
        if let window = advice.message.windows.first { for slot in slots(of: window) { foreign[slot] += 1 } }
        let run = advice.message.runs[0]
        if let entry = advice.help.entries.first {
            acknowledge(entry)
        } else if let entry = manifest.entry(containing: run, in: "acknowledged") {
            manifest.replace(run, in: "acknowledged", by: entry.replacing(/, window: {.*}}/, with: "}"))
        }
    }
}

extension String {
    /// The mappings in braces that are entries of a list: not the value of a key.
    fileprivate var entries: [String] { flows.filter { !$0.isValue }.map(\.text) }

    /// A key and the mapping in braces that is its value.
    fileprivate func flow(_ key: String) -> String {
        let flow = flows.first { $0.isValue && self[..<$0.start].hasSuffix(key) }
        return key + (flow?.text ?? "")
    }

    /// The outermost mappings in braces, outside of quoted texts.
    private var flows: [(text: String, start: Index, isValue: Bool)] {
        var found: [(String, Index, Bool)] = []
        var depth = 0
        var start = startIndex
        var isQuoted = false
        for index in indices {
            let character = self[index]
            if depth > 0, character == "\"", self[self.index(before: index)] != "\\" { isQuoted.toggle() }
            if isQuoted { continue }
            if character == "{" {
                if depth == 0 { start = index }
                depth += 1
            } else if character == "}" {
                depth -= 1
                guard depth == 0 else { continue }
                let before = self[..<start]
                let isValue = ["deltaColumn: ", "window: "].contains { before.hasSuffix($0) }
                found.append((String(self[start...index]), start, isValue))
            }
        }
        return found
    }

    /// The windows that a message names, in its order.
    fileprivate var windows: [Window] {
        let time = /(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z/
        let times = matches(of: time).compactMap { match in
            Timestamp(
                year: Int(match.1)!, month: Int(match.2)!, day: Int(match.3)!, hour: Int(match.4)!,
                minute: Int(match.5)!, second: Int(match.6)!)
        }
        return zip(times, times.dropFirst()).enumerated().compactMap {
            $0 % 2 == 0 ? Window(start: $1.0, end: $1.1) : nil
        }
    }

    /// The IDs of the runs that a message names.
    fileprivate var runs: [String] { matches(of: /run:? "?([0-9a-zA-Z-]+)/).map { String($0.1) } }
}
