import FlowRuns
import Planner
import Text

/// The data of the page's script: the marks of each flow, and what the panel shows about them.
///
/// Texts are in one list, and times are multiples of one unit after the start of the page's time, so that 200 flows fit
/// into a page of less than a megabyte.
struct CoverageData {
    private let report: CoverageReport
    private let scale: CoverageScale
    /// The length that divides all times, in seconds.
    private let unit: Int64
    private var words: [String] = []
    private var indices: [String: Int] = [:]

    /// The exact marks of each flow.
    private let marks: [[FlowCoverage.Stretch]]
    private let windows: [Windows]
    /// The number of marks, windows and reruns of each flow that the page has room for.
    private let limits: (marks: Int, troubled: Int, plain: Int, reruns: Int)

    /// The maximum number of marks in all lanes.
    private static let maxMarks = 16_000
    /// The maximum number of windows with runs in all lanes.
    private static let maxWindows = 2400
    /// The maximum number of reruns with their lines in all lanes.
    private static let maxReruns = 600
    /// The maximum number of separate times of a trouble; beyond it, the whole time counts.
    private static let maxTimes = 30

    init(_ report: CoverageReport, _ scale: CoverageScale) {
        self.report = report
        self.scale = scale
        let start = scale.whole.start.seconds
        unit = max(
            1,
            report.flows.lazy.flatMap(\.stretches).reduce(0) { unit, stretch in
                commonDivisor(commonDivisor(unit, stretch.start.seconds - start), stretch.end.seconds - start)
            })
        marks = report.flows.map(\.joinedStretches)
        windows = report.flows.map(Windows.init)
        let troubled = windows.map(\.troubled.count)
        let troubledLimit = Self.fairLimit(troubled, Self.maxWindows)
        let rest = Self.maxWindows - troubled.reduce(0) { $0 + min($1, troubledLimit) }
        limits = (
            Self.fairLimit(marks.map(\.count), Self.maxMarks), troubledLimit,
            Self.fairLimit(windows.map(\.plain.count), rest),
            Self.fairLimit(report.statusOf.values.map(\.reruns.count), Self.maxReruns)
        )
    }

    /// Returns the largest limit for each count with which their sum stays below a maximum: what small counts leave, large
    /// ones get.
    static func fairLimit(_ counts: [Int], _ maximum: Int) -> Int {
        var rest = maximum
        for (index, count) in counts.sorted().enumerated() {
            let share = rest / (counts.count - index)
            if count > share { return share }
            rest -= count
        }
        return .max
    }

    mutating func json() -> JSONText {
        let flows = report.flows
        var lanes = JSONText()
        lanes.array { lanes in
            for (index, flow) in flows.enumerated() { lanes.element { json in lane(&json, flow, at: index) } }
        }
        var json = JSONText()
        json.object { json in
            json.member("start", scale.whole.start.seconds)
            json.member("end", scale.whole.end.seconds)
            json.member("from", scale.start.seconds)
            json.member("to", scale.end.seconds)
            json.member("now", report.asOf.seconds)
            json.member("unit", unit)
            if let link = report.runLink { json.member("link", link.template) }
            json.array("states") { json in
                for state in CoverageState.allCases {
                    json.element { json in
                        json.member("name", state.name)
                        json.member("text", state.inWords)
                        json.member("top", state.top)
                        json.member("least", state.minWidth)
                    }
                }
            }
            json.array("runStates") { json in for state in RunState.allCases { json.element(state.inWords) } }
            json.member("lanes", json: lanes.text)
            json.array("words") { json in for word in words { json.element(word) } }
        }
        return json
    }

    /// The windows of a flow with runs or reasons, newest first: those that need attention or have several runs, and all
    /// others.
    private struct Windows {
        let troubled: [FlowCoverage.Stretch]
        let plain: [FlowCoverage.Stretch]

        init(_ flow: FlowCoverage) {
            func isPlain(_ stretch: FlowCoverage.Stretch) -> Bool {
                stretch.state == .succeeded && flow.runs[stretch]?.count == 1
            }
            let newest = flow.stretches.reversed().filter { flow.runs[$0] != nil || $0.why != nil }
            troubled = newest.filter { !isPlain($0) }
            plain = newest.filter(isPlain)
        }
    }

    private mutating func lane(_ json: inout JSONText, _ flow: FlowCoverage, at index: Int) {
        let status = report.statusOf[flow.id]
        json.member("file", flow.place.file)
        json.member("line", flow.place.line)
        if let zone = flow.timeZone { json.member("zone", zone) }
        if let status { json.member("status", status.panelText) }
        if let until = status?.thereUntil { json.member("until", until.seconds) }
        if let arguments = report.status?.arguments {
            json.member("history", arguments.command("history", flow: flow.id))
        }
        json.member("marks", json: "[\(marks(of: flow, at: index))]")
        json.member("runs", json: "[\(runs(of: flow, at: index))]")
        json.array("troubles") { json in
            for trouble in status?.troubles ?? [] {
                json.element { json in
                    json.member("headline", wordIndex(trouble.headline))
                    json.member("step", wordIndex(trouble.remedy?.text))
                    let command = trouble.remedy?.command.flatMap { report.status?.arguments.command($0) }
                    json.member("command", wordIndex(command))
                    json.member("lines", wordIndex(trouble.remedy?.lines.joined(separator: "\n")))
                    json.member("kind", trouble.kind.rawValue)
                    json.member("times", json: "[\(times(of: trouble))]")
                }
            }
        }
        let reruns = (status?.reruns ?? []).prefix(limits.reruns).map { rerun in
            "[\(span(rerun.window.start, rerun.window.end)),\(wordIndex(rerun.step)),"
                + "\(wordIndex(rerun.block.joined(separator: "\n")))]"
        }
        json.member("reruns", json: "[\(reruns.joined(separator: ","))]")
    }

    /// Writes each mark as state, time since the mark before it, length, number of windows, and line.
    ///
    /// The marks are exact, or those of a wide lane if there are too many.
    private func marks(of flow: FlowCoverage, at index: Int) -> String {
        let isExact = marks[index].count <= limits.marks
        let marks =
            isExact ? marks[index] : CoverageLane(flow, scale.wide, width: max(1, limits.marks)).marks.map(\.stretch)
        var last = scale.whole.start.seconds
        return marks.map { mark in
            let (start, end) = (mark.start.seconds, mark.end.seconds)
            defer { last = end }
            return
                "\(mark.state.rawValue),\((start - last) / unit),\((end - start) / unit),\(mark.count),\(mark.line ?? 0)"
        }.joined(separator: ",")
    }

    /// Writes the runs of the windows that need attention, and of the newest other ones.
    private mutating func runs(of flow: FlowCoverage, at index: Int) -> String {
        let windows = windows[index]
        let chosen = windows.troubled.prefix(limits.troubled) + windows.plain.prefix(limits.plain)
        return chosen.sorted { $0.start > $1.start }.map { stretch in
            let runs = (flow.runs[stretch] ?? []).map { run in
                let state = RunState.allCases.firstIndex(of: run.state) ?? 0
                var id = JSONText()
                id.array { id in id.element(run.id?.description ?? "") }
                return ",\(state),\(id.text.dropFirst().dropLast()),\(run.records ?? -1),\(wordIndex(run.failure)),"
                    + "\(run.recordedAt.seconds - scale.whole.start.seconds),\(wordIndex(run.identity.rerun))"
            }
            return "[\(span(stretch.start, stretch.end)),\(wordIndex(stretch.why))\(runs.joined())]"
        }.joined(separator: ",")
    }

    private func times(of trouble: Trouble) -> String {
        let intervals = CoveredIntervals(trouble.windows).intervals
        guard intervals.count > Self.maxTimes else {
            return intervals.map { span($0.start, $0.end) }.joined(separator: ",")
        }
        return trouble.span.map { span($0.start, $0.end) } ?? ""
    }

    private func span(_ start: Timestamp, _ end: Timestamp) -> String {
        "\((start.seconds - scale.whole.start.seconds) / unit),\((end.seconds - start.seconds) / unit)"
    }

    /// Returns the index of a text in the list; -1 if there is no text.
    private mutating func wordIndex(_ text: String?) -> Int {
        guard let text, !text.isEmpty else { return -1 }
        if let known = indices[text] { return known }
        indices[text] = words.count
        words.append(text)
        return words.count - 1
    }
}

private func commonDivisor(_ one: Int64, _ other: Int64) -> Int64 {
    var (large, small) = (one.magnitude, other.magnitude)
    while small != 0 { (large, small) = (small, large % small) }
    return Int64(large)
}

extension [Window: [RecordedRun]] {
    fileprivate subscript(_ stretch: FlowCoverage.Stretch) -> [RecordedRun]? {
        Window(start: stretch.start, end: stretch.end).flatMap { self[$0] }
    }
}

extension FlowStatus {
    /// The share of due time that is there, freshness and state in one sentence.
    fileprivate var panelText: String {
        [share.map { "\($0.preciseText) of due time is there" }, freshnessText, stateText].compactMap(\.self)
            .filter { !$0.isEmpty }.joined(separator: " · ")
    }
}
