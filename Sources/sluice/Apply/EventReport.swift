import Applier
import FlowRuns
import Manifests
import Reports
import Text

/// An event of an apply, rendered as text or as one line of JSON.
struct EventReport: Sendable {
    let event: ApplyEvent
    /// The time of the event.
    let time: Timestamp
    /// The names of the plan's flows.
    let names: [FlowID: String]

    struct Message {
        var lines: [StyledText] = []
        /// Whether the message is also shown while a progress bar is visible, and with `--quiet`.
        var isImportant = true

        fileprivate static func important(_ line: StyledText) -> Message { Message(lines: [line]) }
        fileprivate static func detail(_ line: StyledText) -> Message { Message(lines: [line], isImportant: false) }
        fileprivate static let none = Message(isImportant: false)
    }

    init(_ event: ApplyEvent, at time: Timestamp, names: [FlowID: String] = [:]) {
        self.event = event
        self.time = time
        self.names = names
    }

    func message(_ style: TextStyle) -> Message {
        switch event {
        case .started(let flows, let requests):
            .detail("\(counted(requests, "request")) for \(counted(flows, "flow"))")
        case .contacted(let flow, let runCount):
            .detail("\(name(flow)): compared with the service for the first time, \(counted(runCount, "run")) found")
        case .removed(let flow, let count):
            .important("\(name(flow)): \(counted(count, "request")) skipped: already run")
        case .accepted(let identity, let run): .detail("+ \(described(identity)): run \(run)")
        case .rejected(let identity, let reason): .important("x \(described(identity)): refused: \(reason)")
        case .doubted(let identity, let reason): .important("? \(described(identity)): in doubt: \(reason)")
        case .adopted(let identity, let run):
            .important("= \(described(identity)): found on the service: run \(run)")
        case .released(let identity):
            .important("- \(described(identity)): not found on the service, can be requested again")
        case .waiting(let flow, let wait, let reason):
            .important("\(name(flow)): waiting \(wait.secondsRoundedUp) s: \(reason)")
        case .noticed(_, let diagnostic):
            Message(lines: DiagnosticsReport([diagnostic], sources: []).lines(style))
        case .ended(let outcome): outcome.message.map { .important("\(name(outcome.flow)): \($0)") } ?? .none
        case .finished(let outcome): .important("\(outcome.summary)")
        case .waited, .stillWaiting: .none
        case .runEnded(let run):
            Message(
                lines: ["\(described(run.identity)): \(run.state.rawValue)\(run.failure.map { ": \($0)" } ?? "")"],
                isImportant: run.state != .succeeded)
        case .waitEnded(let outcome): .important("\(outcome.summary)")
        }
    }

    private func name(_ flow: FlowID) -> String { names[flow] ?? flow.description }

    private func described(_ identity: RunIdentity) -> String {
        let window = identity.window.map { "\($0.start) … \($0.end)" } ?? "window unknown"
        let attempt = identity.attempt > 1 ? ", attempt \(identity.attempt)" : ""
        return "\(name(identity.flow)) \(window)\(identity.rerun.map { ", rerun \($0)" } ?? "")\(attempt)"
    }
}

extension EventReport: Report {
    static let renderings: [Rendering<EventReport>] = [
        .text { report, style in report.message(style).lines },
        .jsonLine { report, json in
            json.member("at", report.time.milliseconds)
            json.members(of: report.event)
        },
    ]
}

extension JSONText {
    /// Writes the members of an event, such as `"event":"accepted","flowId":…`.
    mutating func members(of happened: ApplyEvent) {
        switch happened {
        case .started(let flows, let requests):
            member("event", "started")
            member("flows", flows)
            member("requests", requests)
        case .contacted(let flow, let runs):
            member("event", "contacted")
            member("flowId", flow.description)
            member("runsFound", runs)
        case .removed(let flow, let count):
            member("event", "removed")
            member("flowId", flow.description)
            member("count", count)
        case .accepted(let identity, let run): event("accepted", identity, run: run)
        case .rejected(let identity, let reason): event("rejected", identity, reason: reason)
        case .doubted(let identity, let reason): event("doubted", identity, reason: reason)
        case .adopted(let identity, let run): event("adopted", identity, run: run)
        case .released(let identity): event("released", identity)
        case .waiting(let flow, let wait, let reason), .stillWaiting(let flow, let wait, let reason):
            member("event", "waiting")
            member("flowId", flow.description)
            member("milliseconds", wait.milliseconds)
            member("reason", reason)
        case .noticed(let flow, let diagnostic):
            member("event", "noticed")
            member("flowId", flow.description)
            members(of: diagnostic)
        case .ended(let outcome):
            member("event", "ended")
            object("flow") { $0.members(of: outcome) }
        case .finished(let outcome):
            member("event", "finished")
            member("complete", outcome.isComplete)
            member("accepted", outcome.accepted)
            member("removed", outcome.removed)
            member("remaining", outcome.remaining)
            array("flows") { for flow in outcome.flows { $0.element { $0.members(of: flow) } } }
        case .waited(let running):
            member("event", "waited")
            member("running", running)
        case .runEnded(let run):
            event("runEnded", run.identity, run: run.id)
            member("state", run.state.rawValue)
            if let failure = run.failure { member("failure", failure) }
        case .waitEnded(let outcome):
            member("event", "waitEnded")
            for count in WaitCount.allCases { member(count.rawValue, outcome[count]) }
        }
    }
}

extension JSONText {
    fileprivate mutating func event(
        _ name: String, _ identity: RunIdentity, run: RunID? = nil, reason: String? = nil
    ) {
        member("event", name)
        member("flowId", identity.flow.description)
        if let window = identity.window { member("window", window) }
        if let rerun = identity.rerun { member("rerun", rerun) }
        member("attempt", identity.attempt)
        if let run { member("run", run.description) }
        if let reason { member("reason", reason) }
    }

    fileprivate mutating func members(of outcome: FlowOutcome) {
        member("flowId", outcome.flow.description)
        member("end", outcome.code)
        member("accepted", outcome.accepted)
        member("removed", outcome.removed)
        member("remaining", outcome.remaining)
        if let message = outcome.message { member("message", message) }
    }
}
