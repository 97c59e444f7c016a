import Applier
import FlowRuns
import Reports
import Text

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
