import Crypto
import FlowRuns
import Ledger
import Manifests
import Planner
import Text

/// Encodes a plan in its saved form: JSON with one action per line, followed by a SHA-256 digest of all previous bytes.
///
/// The form is canonical: equal plans give equal bytes.
///
/// - Parameters:
///   - plan: The plan to encode.
///   - write: Receives the bytes in chunks, in order.
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
        json.members(of: plan, handOver)
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

extension JSONText {
    /// Writes a plan as ``SavedPlan`` reads it, with what reviewers want to see besides: sums, requests and UTC times.
    fileprivate mutating func members(of plan: Plan, _ handOver: (inout JSONText) -> Void) {
        member("formatVersion", Plan.formatVersion)
        plan.asOf.write("asOf", to: &self)
        member("asOfUTC", plan.asOf.description)
        plan.target.write("target", to: &self)
        object("summary") { $0.members(of: plan.counts) }
        plan.manifests.write("manifests", to: &self)
        plan.ownDiagnostics.write("diagnostics", to: &self)
        array("flows") { json in
            for flow in plan.flows { json.element { $0.members(of: flow, plan.target.wireForm, handOver) } }
        }
    }

    private mutating func members(of flow: FlowPlan, _ form: WireForm, _ handOver: (inout JSONText) -> Void) {
        flow.id.write("flowId", to: &self)
        flow.name.write("name", to: &self)
        flow.manifest.write("manifest", to: &self)
        flow.owner.write("owner", to: &self)
        flow.source.write("source", to: &self)
        flow.place.write("place", to: &self)
        flow.revision.write("revision", to: &self)
        flow.isVerified.write("verified", to: &self)
        flow.rules.write("rules", to: &self)
        object("summary") { $0.members(of: flow.counts) }
        array("actions") { json in
            for action in flow.actions {
                json.line { line in
                    PlannedAction.coding.write(action, to: &line, before: "place") {
                        $0.request(action, of: flow.id, form)
                    }
                }
                if json.isLarge { handOver(&json) }
            }
        }
        array("held") { json in
            for held in flow.held {
                held.write(nil, to: &json)
                if json.isLarge { handOver(&json) }
            }
        }
        array("undeclared") { json in
            for run in flow.undeclared {
                json.line { $0.savedMembers(of: run) }
                if json.isLarge { handOver(&json) }
            }
        }
        flow.diagnostics.write("diagnostics", to: &self)
        handOver(&self)
    }

    private mutating func request(_ action: PlannedAction, of flow: FlowID, _ form: WireForm) {
        object("request") {
            $0.member("method", "POST")
            if let run = action.kind.retriggered {
                $0.member("path", RetriggerRequest(run).target)
            } else {
                $0.member("path", "/runs")
                $0.member("body", json: action.request(for: flow).body(form, sentAt: nil))
            }
        }
    }

    mutating func members(of counts: PlanCounts) {
        member("requests", counts.requests)
        for kind in PlanCount.allCases where kind.isAlwaysWritten || counts[kind] > 0 {
            if kind != .windows || counts[.windows] != counts[.create] { member(kind.rawValue, counts[kind]) }
        }
    }
}

extension PlanCount {
    fileprivate var isAlwaysWritten: Bool {
        ![.windows, .paused, .untilTomorrow, .untilRunsEnd, .waiting, .replaced].contains(self)
    }
}

/// A saved plan as it is read. ``readPlan(_:)`` verifies all other members by writing the plan again.
struct SavedPlan: Decodable {
    let plan: Plan

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: SavedKey.self)
        plan = Plan(
            asOf: try object.value("asOf"), target: try object.value("target"),
            manifests: try object.value("manifests"),
            flows: try object.decode([SavedFlow].self, forKey: SavedKey("flows")).map(\.flow))
    }
}

private struct SavedFlow: Decodable {
    let flow: FlowPlan

    init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: SavedKey.self)
        let id: FlowID = try object.value("flowId")
        let summary = try object.object("summary")
        flow = FlowPlan(
            id: id, name: try object.optional("name"), manifest: try object.value("manifest"),
            owner: try object.optional("owner"), source: try object.value("source"), rules: try object.value("rules"),
            place: try object.value("place"), revision: try object.value("revision"),
            isVerified: try object.value("verified"),
            actions: PlannedActions(try object.value("actions") as [PlannedAction]), held: try object.value("held"),
            recordedCount: try summary.value("recorded"), failedCount: try summary.value("failed"),
            replacedCount: try summary.optional("replaced") ?? 0, undeclared: try object.runs("undeclared", of: id),
            diagnostics: try object.value("diagnostics"))
    }
}

extension KeyedDecodingContainer<SavedKey> {
    fileprivate func runs(_ key: String, of flow: FlowID) throws -> [RecordedRun] {
        var array = try nestedUnkeyedContainer(forKey: SavedKey(key))
        var runs: [RecordedRun] = []
        while !array.isAtEnd {
            var row = RunRow(of: flow)
            let object = try array.nestedContainer(keyedBy: SavedKey.self)
            for column in RunColumns.identity + RunColumns.state {
                guard try column.set(object.value(of: column), in: &row) else {
                    throw DecodingError.invalid("an invalid value of '\(column.key)'", at: array.codingPath)
                }
            }
            guard let entry = row.finished() else {
                throw DecodingError.invalid("a window that ends before it starts", at: array.codingPath)
            }
            runs.append(entry.run)
        }
        return runs
    }

    private func value<Row>(of column: LedgerColumn<Row>) throws -> ColumnValue {
        var object = self
        if let name = column.object {
            guard contains(SavedKey(name)), try !decodeNil(forKey: SavedKey(name)) else { return column.omitted }
            object = try self.object(name)
        }
        let key = SavedKey(column.key)
        guard object.contains(key) else { return column.omitted }
        return switch column.kind {
        case .integer: .integer(try object.decode(Int64.self, forKey: key))
        case .text: .text(try object.decode(String.self, forKey: key))
        case .boolean: .boolean(try object.decode(Bool.self, forKey: key))
        }
    }
}
