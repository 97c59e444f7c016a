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

    /// The maximum number of marks in all lanes.
    private static let maxMarks = 12_000
    /// The maximum number of windows with runs in all lanes, and of reruns.
    private static let maxWindows = 2400
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
    }

    mutating func json() -> JSONText {
        let flows = report.flows
        var lanes = JSONText()
        lanes.array { lanes in
            for flow in flows { lanes.element { json in lane(&json, flow) } }
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

    private mutating func lane(_ json: inout JSONText, _ flow: FlowCoverage) {
        let status = report.statusOf[flow.id]
        json.member("file", flow.place.file)
        json.member("line", flow.place.line)
        if let zone = flow.timeZone { json.member("zone", zone) }
        if let status { json.member("status", status.panelText) }
        if let until = status?.thereUntil { json.member("until", until.seconds) }
        if let arguments = report.status?.arguments {
            json.member("history", arguments.command("history", flow: flow.id))
        }
        json.member("marks", json: "[\(marks(of: flow))]")
        json.member("runs", json: "[\(runs(of: flow))]")
        json.array("troubles") { json in
            for trouble in status?.troubles ?? [] {
                json.element { json in
                    json.member("headline", index(trouble.headline))
                    json.member("step", index(trouble.remedy?.text))
                    let command = trouble.remedy?.command.flatMap { words in
                        report.status?.arguments.command(words)
                    }
                    json.member("command", index(command))
                    json.member("lines", index(trouble.remedy?.lines.joined(separator: "\n")))
                    json.member("isRerun", [.failed, .tooFewRecords].contains(trouble.kind))
                    json.member("times", json: "[\(times(of: trouble))]")
                }
            }
        }
        let reruns = (status?.reruns ?? []).prefix(limit(Self.maxWindows)).map { rerun in
            "[\(span(rerun.window.start, rerun.window.end)),\(index(rerun.block.joined(separator: "\n")))]"
        }
        json.member("reruns", json: "[\(reruns.joined(separator: ","))]")
    }

    /// Writes each mark as state, time since the mark before it, length, number of windows, and line.
    ///
    /// The marks are exact, or those of a wide lane if there are too many.
    private func marks(of flow: FlowCoverage) -> String {
        let exact = flow.joinedStretches
        let limit = limit(Self.maxMarks)
        let marks = exact.count <= limit ? exact : CoverageLane(flow, scale.wide, width: limit).marks.map(\.stretch)
        var last = scale.whole.start.seconds
        return marks.map { mark in
            let (start, end) = (mark.start.seconds, mark.end.seconds)
            defer { last = end }
            return
                "\(mark.state.rawValue),\((start - last) / unit),\((end - start) / unit),\(mark.count),\(mark.line ?? 0)"
        }.joined(separator: ",")
    }

    /// Writes the runs of the windows that need attention, and of the newest other ones.
    private mutating func runs(of flow: FlowCoverage) -> String {
        let newest = flow.stretches.reversed().filter { flow.runs[$0] != nil || $0.why != nil }
        func isPlain(_ stretch: FlowCoverage.Stretch) -> Bool {
            stretch.state == .succeeded && flow.runs[stretch]?.count == 1
        }
        let chosen = (newest.filter { !isPlain($0) } + newest.filter(isPlain)).prefix(limit(Self.maxWindows))
        return chosen.sorted { $0.start > $1.start }.map { stretch in
            let runs = (flow.runs[stretch] ?? []).map { run in
                let state = RunState.allCases.firstIndex(of: run.state) ?? 0
                var id = JSONText()
                id.array { id in id.element(run.id?.description ?? "") }
                return ",\(state),\(id.text.dropFirst().dropLast()),\(run.records ?? -1),\(index(run.failure)),"
                    + "\(run.recordedAt.seconds - scale.whole.start.seconds),\(index(run.identity.rerun))"
            }
            return "[\(span(stretch.start, stretch.end)),\(index(stretch.why))\(runs.joined())]"
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

    /// Returns a flow's part of a maximum for all flows.
    private func limit(_ maximum: Int) -> Int { max(12, maximum / max(1, report.flowCount)) }

    /// Returns the index of a text in the list; -1 if there is no text.
    private mutating func index(_ text: String?) -> Int {
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
