import Applier
import FlowRuns
import Reports
import Text

extension ApplyEvent {
    /// One line of JSON: `{"at":1651587212543,"event":"accepted","flowId":…}`; times in Unix milliseconds.
    func json(at time: Timestamp) -> String {
        var json = JSONText()
        json.object {
            $0.member("at", time.milliseconds)
            write(&$0)
        }
        return json.text
    }

    private func write(_ json: inout JSONText) {
        switch self {
        case .started(let flows, let requests):
            json.member("event", "started")
            json.member("flows", flows)
            json.member("requests", requests)
        case .contacted(let flow, let runs):
            json.member("event", "contacted")
            json.member("flowId", flow.description)
            json.member("runsFound", runs)
        case .removed(let flow, let count):
            json.member("event", "removed")
            json.member("flowId", flow.description)
            json.member("count", count)
        case .accepted(let identity, let run): json.event("accepted", identity, run: run)
        case .rejected(let identity, let reason): json.event("rejected", identity, reason: reason)
        case .doubted(let identity, let reason): json.event("doubted", identity, reason: reason)
        case .adopted(let identity, let run): json.event("adopted", identity, run: run)
        case .released(let identity): json.event("released", identity)
        case .waiting(let flow, let wait, let reason), .stillWaiting(let flow, let wait, let reason):
            json.member("event", "waiting")
            json.member("flowId", flow.description)
            json.member("milliseconds", wait.milliseconds)
            json.member("reason", reason)
        case .noticed(let flow, let diagnostic):
            json.member("event", "noticed")
            json.member("flowId", flow.description)
            json.members(of: diagnostic)
        case .ended(let outcome):
            json.member("event", "ended")
            json.object("flow") { $0.members(of: outcome) }
        case .finished(let outcome):
            json.member("event", "finished")
            json.member("complete", outcome.isComplete)
            json.member("accepted", outcome.accepted)
            json.member("removed", outcome.removed)
            json.member("remaining", outcome.remaining)
            json.array("flows") { for flow in outcome.flows { $0.element { $0.members(of: flow) } } }
        case .waited(let running):
            json.member("event", "waited")
            json.member("running", running)
        case .runEnded(let run):
            json.event("runEnded", run.identity, run: run.id)
            json.member("state", run.state.rawValue)
            if let failure = run.failure { json.member("failure", failure) }
        case .waitEnded(let outcome):
            json.member("event", "waitEnded")
            json.member("succeeded", outcome.succeeded)
            json.member("partial", outcome.partial)
            json.member("failed", outcome.failed)
            json.member("running", outcome.running)
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
        if let words = outcome.words { member("message", words) }
    }
}
