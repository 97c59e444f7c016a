import Crypto
import FlowRuns
import Manifests
import Planner
import Text

/// Encodes a plan in its saved form: JSON with one action per line, followed by a SHA-256 digest of all previous bytes.
///
/// The form is canonical: equal plans give equal bytes.
///
/// - Parameter write: Receives the bytes in chunks, in order.
/// - Returns: The digest, which a reviewer approves.
/// - Throws: The error of `write`.
@discardableResult
package func writePlan<Failure: Error>(
    _ plan: Plan, to write: ([UInt8]) throws(Failure) -> Void
) throws(Failure) -> String {
    var hash = SHA256()
    var digest = ""
    try streamJSON(
        to: { bytes throws(Failure) in
            hash.update(data: bytes)
            try write(bytes)
        }
    ) { json, handOver in
        PlanJSON(plan).members(into: &json, handOver)
        handOver(&json)
        digest = digestText(hash)
        json.member("digest", digest)
    }
    return digest
}

/// Encodes a plan in its saved form, in memory; see ``writePlan(_:to:)``.
package func planJSON(_ plan: Plan) -> [UInt8] {
    var all: [UInt8] = []
    writePlan(plan) { all += $0 }
    return all
}

/// Returns the digest at the end of a saved plan.
///
/// - Parameter bytes: The contents of a file that ``readPlan(_:)`` has accepted.
package func planDigest(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.dropLast("\"\n}\n".utf8.count).suffix(digestLength), as: UTF8.self)
}

/// The length of a digest in characters: `sha256:` and 64 hexadecimal digits.
let digestLength = 71

func digestText(_ hash: SHA256) -> String { "sha256:" + hexadecimal(hash.finalize()) }

private struct PlanJSON {
    private let plan: Plan

    init(_ plan: Plan) { self.plan = plan }

    func members(into json: inout JSONText, _ handOver: (inout JSONText) -> Void) {
        json.member("formatVersion", Plan.formatVersion)
        json.member("asOf", plan.asOf.seconds)
        json.member("asOfUTC", plan.asOf.description)
        json.object("target") {
            $0.member("name", plan.target.name)
            $0.member("service", plan.target.service.description)
            $0.member("organization", plan.target.organization)
            $0.member("sandbox", plan.target.sandbox)
            $0.object("request") {
                $0.member("times", plan.target.wireForm.times.rawValue)
                $0.member("startTime", plan.target.wireForm.startTime.rawValue)
            }
            $0.member("ledger", plan.target.ledger.description)
            $0.object("limits") {
                let limits = plan.target.limits
                $0.member("maxRunsPerApply", limits.maxRunsPerApply)
                if let runsPerDay = limits.runsPerDay { $0.member("runsPerDay", runsPerDay) }
                if let running = limits.running { $0.member("running", running) }
                $0.member("parallelFlows", limits.parallelFlows)
                $0.member("requestsPerSecond", limits.requestsPerSecond)
                $0.member("requestTimeoutMilliseconds", limits.requestTimeout.milliseconds)
                $0.member("settleMilliseconds", limits.settle.milliseconds)
            }
            $0.member("place", plan.target.place)
        }
        json.object("summary") { $0.members(of: plan.counts) }
        json.array("manifests") { json in
            for manifest in plan.manifests {
                json.line {
                    $0.member("path", manifest.path)
                    $0.member("sha256", manifest.sha256)
                }
            }
        }
        json.array("diagnostics") { json in
            for diagnostic in plan.ownDiagnostics { json.line { $0.members(of: diagnostic) } }
        }
        json.array("flows") { json in
            for flow in plan.flows { json.element { members(of: flow, into: &$0, handOver) } }
        }
    }

    private func members(of flow: FlowPlan, into json: inout JSONText, _ handOver: (inout JSONText) -> Void) {
        json.member("flowId", flow.id.description)
        json.optional("name", flow.name)
        json.member("manifest", flow.manifest)
        json.optional("owner", flow.owner)
        json.member("source", flow.source.rawValue)
        json.member("place", flow.place)
        json.member("revision", flow.revision)
        json.member("verified", flow.isVerified)
        json.object("rules") { $0.members(of: flow.rules) }
        json.object("summary") { $0.members(of: flow.counts) }
        json.array("actions") { json in
            for action in flow.actions {
                json.line { members(of: action, flow.id, into: &$0) }
                if json.isLarge { handOver(&json) }
            }
        }
        json.array("held") { json in
            for held in flow.held {
                json.line {
                    $0.member("window", held.window)
                    $0.optional("timeZone", held.timeZone)
                    if held.cause != .doubt { $0.member("cause", held.cause.rawValue) }
                    $0.member("reason", held.reason)
                    $0.member("place", held.place)
                }
                if json.isLarge { handOver(&json) }
            }
        }
        json.array("undeclared") { json in
            for run in flow.undeclared {
                json.line { $0.members(of: run) }
                if json.isLarge { handOver(&json) }
            }
        }
        json.array("diagnostics") { json in
            for diagnostic in flow.diagnostics { json.line { $0.members(of: diagnostic) } }
        }
        handOver(&json)
    }

    private func members(of action: PlannedAction, _ flow: FlowID, into json: inout JSONText) {
        json.member("kind", action.kind.word)
        json.member("window", action.window)
        json.optional("timeZone", action.timeZone)
        if action.isOfSeries { json.member("ofSeries", true) }
        if !action.members.isEmpty {
            json.array("covers") { json in
                for windows in action.members {
                    json.element {
                        $0.member("start", windows.start.seconds)
                        $0.member("end", windows.end.seconds)
                        $0.member("windows", windows.count)
                    }
                }
            }
        }
        json.optional("rerun", action.rerun)
        json.member("attempt", action.attempt)
        json.optional("retryOf", action.kind.retried?.description)
        if action.kind.retried != nil, action.kind.retriggered == nil { json.member("asNewRun", true) }
        json.member("reason", action.reason)
        json.optional("refusal", action.refusal)
        json.member("deltaColumn", action.deltaColumn)
        json.object("request") {
            $0.member("method", "POST")
            if let run = action.kind.retriggered {
                $0.member("path", "/runs/\(run)/action?op=re-trigger")
            } else {
                $0.member("path", "/runs")
                $0.member("body", json: action.request(for: flow).body(plan.target.wireForm, sentAt: nil))
            }
        }
        json.member("place", action.place)
    }
}

extension PlannedAction.Kind {
    /// The value of the member `kind` in JSON.
    var word: String {
        switch self {
        case .create: "create"
        case .retry: "retry"
        case .rerun: "rerun"
        }
    }
}

extension JSONText {
    mutating func member(_ key: String, _ place: Place) {
        object(key) {
            $0.member("file", place.file)
            $0.member("line", place.line)
            $0.member("column", place.column)
            $0.member("length", place.length)
        }
    }

    mutating func members(of counts: PlanCounts) {
        member("requests", counts.requests)
        member("create", counts.create)
        if counts.windows != counts.create { member("windows", counts.windows) }
        member("retry", counts.retry)
        member("rerun", counts.rerun)
        member("held", counts.held)
        if counts.paused > 0 { member("paused", counts.paused) }
        if counts.untilTomorrow > 0 { member("heldUntilTomorrow", counts.untilTomorrow) }
        if counts.untilRunsEnd > 0 { member("heldUntilRunsEnd", counts.untilRunsEnd) }
        if counts.waiting > 0 { member("waiting", counts.waiting) }
        member("recorded", counts.recorded)
        member("failed", counts.failed)
        if counts.replaced > 0 { member("replaced", counts.replaced) }
        member("undeclared", counts.undeclared)
        member("errors", counts.errors)
        member("warnings", counts.warnings)
    }

    fileprivate mutating func members(of rules: FlowRules) {
        if let declared = rules.deltaColumn {
            object("deltaColumn") {
                $0.members(of: declared.column)
                $0.member("place", declared.place)
            }
        }
        member("overlap", rules.overlap.rawValue)
        member("retryFailed", rules.retries.times)
        if rules.retries.states != [.failed] {
            array("retriedStates") { json in
                for state in rules.retries.sortedStates { json.element(state.rawValue) }
            }
        }
        if rules.order != .oldestFirst { member("order", rules.order.rawValue) }
        if let runsPerDay = rules.runsPerDay { member("runsPerDay", runsPerDay) }
        if rules.priority != 0 { member("priority", rules.priority) }
        if !rules.replaced.isEmpty {
            array("replaced") { json in
                for flow in rules.replaced { json.element(flow.description) }
            }
        }
        if !rules.after.isEmpty {
            array("after") { json in
                for flow in rules.after { json.element(flow.description) }
            }
        }
        if !rules.pauses.isEmpty {
            array("pauses") { json in
                for pause in rules.pauses {
                    json.line {
                        $0.member("reason", pause.reason)
                        if let until = pause.until { $0.member("until", until.seconds) }
                        $0.member("place", pause.place)
                    }
                }
            }
        }
        array("acknowledged") { json in
            for acknowledgement in rules.acknowledged {
                json.line {
                    $0.member("run", acknowledgement.run.description)
                    $0.member("reason", acknowledgement.reason)
                    if let window = acknowledgement.window { $0.member("window", window) }
                    $0.member("place", acknowledgement.place)
                }
            }
        }
        guard !rules.reruns.isEmpty else { return }
        array("reruns") { json in
            for rerun in rules.reruns {
                json.line {
                    $0.member("window", rerun.window)
                    if rerun.isRange { $0.member("range", true) }
                    $0.member("id", rerun.id)
                    $0.member("reason", rerun.reason)
                    $0.member("place", rerun.place)
                }
            }
        }
    }
}
