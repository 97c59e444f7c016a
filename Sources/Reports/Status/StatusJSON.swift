import FlowRuns
import Text

extension JSONText {
    /// Writes the members of the report, with one flow per line.
    mutating func members(of report: StatusReport) {
        member("formatVersion", 1)
        member("target", report.target)
        member("asOf", report.asOf.seconds)
        member("asOfUTC", report.asOf.description)
        if let time = report.refreshedAt { member("refreshedAt", time.milliseconds) } else { null("refreshedAt") }
        member("anyFailed", report.anyFailed)
        if report.anyTooFewRecords { member("anyTooFewRecords", true) }
        array("flows") { json in
            for flow in report.flows { json.line { $0.members(of: flow) } }
        }
    }

    private mutating func members(of flow: FlowStatus) {
        member("flowId", flow.id.description)
        optional("name", flow.name)
        member("verified", flow.isVerified)
        for figure in StatusFigure.allCases { member(figure.rawValue, flow.counts[figure]) }
        if let window = flow.lastWindow { member("lastWindow", window) } else { null("lastWindow") }
        member("behindWindows", flow.missing)
        member("behindSeconds", flow.missingTime.wholeSeconds)
        if let time = flow.refreshedAt { member("refreshedAt", time.milliseconds) } else { null("refreshedAt") }
        array("troubles") {
            for run in flow.problems {
                $0.element {
                    $0.members(of: run)
                    if let expected = flow.expectation, flow.shortfall(of: run) != nil {
                        $0.optional("records", run.records)
                        $0.member("minimumRecords", expected.minimumRecords)
                    }
                }
            }
        }
        if !flow.waits.isEmpty {
            array("waits") { json in
                for wait in flow.waits {
                    json.element {
                        $0.member("reason", wait.reason)
                        $0.member("windows", wait.windows)
                    }
                }
            }
        }
        if !flow.repeated.isEmpty { array("runMoreThanOnce") { for window in flow.repeated { $0.add(window) } } }
    }

    private mutating func add(_ repeated: RepeatedWindow) {
        element { json in
            json.member("window", repeated.window)
            json.member("declaredRuns", repeated.declared)
            json.array("runs") { json in
                for run in repeated.runs {
                    json.element {
                        $0.optional("run", run.id?.description)
                        if let window = run.window, window != repeated.window { $0.member("window", window) }
                        $0.optional("rerun", run.identity.rerun)
                        $0.member("state", run.state.rawValue)
                        $0.member("origin", run.origin.rawValue)
                        $0.member("recordedAt", run.recordedAt.milliseconds)
                    }
                }
            }
        }
    }
}
