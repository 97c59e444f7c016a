import Crypto
import FlowRuns
import Foundation
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

/// Decodes a saved plan.
///
/// The result equals the plan that ``writePlan(_:to:)`` encoded, without its target's `runLink`, which only reports
/// need. The requests sent must be exactly the approved ones, so the digest must match, and encoding the plan again
/// must give the same bytes.
///
/// - Parameter bytes: The contents of the whole file.
/// - Throws: ``PlanFileError`` if the file is not a saved plan, was edited, was written by a newer Sluice, or would now
///   be encoded differently.
package func readPlan(_ bytes: [UInt8]) throws(PlanFileError) -> Plan {
    try checkVersion(bytes)
    try checkDigest(bytes)
    let plan: Plan
    do {
        plan = try JSONDecoder().decode(SavedPlan.self, from: Data(bytes)).plan
    } catch {
        throw PlanFileError(error)
    }
    guard planJSON(plan) == bytes else { throw .requestsDiffer }
    return plan
}

extension SourceFile {
    /// Whether this is a saved plan, by its content: its name, and whether it was read from a pipe, do not matter.
    package var isSavedPlan: Bool { jsonHead?.contains("\"formatVersion\"") ?? false }

    /// Whether this is a JSON object that is no manifest by its name or content, such as a plan that was cut off.
    package var couldBeSavedPlan: Bool {
        guard !path.hasSuffix(".yaml"), !path.hasSuffix(".yml"), let jsonHead else { return false }
        return !jsonHead.contains("apiVersion")
    }

    /// The beginning of a JSON object; `nil` for anything else.
    private var jsonHead: String? {
        let head = String(decoding: savedPlanBytes(Array(bytes.prefix(8192))), as: UTF8.self)
        let start = head.drop(while: \.isWhitespace)
        guard start.first == "{", start.dropFirst().first(where: { !$0.isWhitespace }) == "\"" else { return nil }
        return head
    }
}

/// The bytes of a saved plan as `plan --out` wrote them: in UTF-8 without a byte order mark, with LF line ends. Shells and
/// editors change these, and mean the same plan.
package func savedPlanBytes(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = utf8Text(bytes)
    // JSON text contains no carriage return of its own.
    if let end = bytes.firstIndex(of: 0x0A), end > 0, bytes[end - 1] == 0x0D { bytes.removeAll { $0 == 0x0D } }
    return bytes
}

private struct VersionOnly: Decodable { let formatVersion: Int }

/// Checks the format version. Only a file with an unexpected beginning is parsed, to determine the reason.
private func checkVersion(_ bytes: [UInt8]) throws(PlanFileError) {
    guard !bytes.starts(with: "{\n  \"formatVersion\": \(Plan.formatVersion),\n".utf8) else { return }
    guard !bytes.isEmpty else { throw .notAPlan("it is empty") }
    let version: Int
    do {
        version = try JSONDecoder().decode(VersionOnly.self, from: Data(bytes)).formatVersion
    } catch DecodingError.dataCorrupted {
        throw .notAPlan("it is not JSON, or is cut off")
    } catch {
        throw .notAPlan("it has no formatVersion")
    }
    switch version {
    case Plan.formatVersion: throw .edited
    case Plan.formatVersion...: throw .newer(version: version)
    default: throw .notAPlan("its format version is \(version)")
    }
}

/// Checks the digest, the last member, against all bytes before its comma.
private func checkDigest(_ bytes: [UInt8]) throws(PlanFileError) {
    let lead = Array(",\n  \"digest\": \"".utf8)
    let trail = Array("\"\n}\n".utf8)
    let end = bytes.count - lead.count - digestLength - trail.count
    guard end > 0, bytes[end...].starts(with: lead), bytes.suffix(trail.count) == trail[...] else { throw .edited }
    var hash = SHA256()
    hash.update(data: bytes[..<end])
    guard bytes[(end + lead.count)...].starts(with: digestText(hash).utf8) else { throw .edited }
}

extension PlanFileError {
    fileprivate init(_ error: any Error) {
        func path(_ context: DecodingError.Context, _ key: (any CodingKey)? = nil) -> String {
            let keys = context.codingPath + (key.map { [$0] } ?? [])
            return keys.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
        }
        self =
            switch error {
            case DecodingError.keyNotFound(let key, let context):
                .invalid(at: path(context, key), "a member is missing")
            case DecodingError.typeMismatch(_, let context): .invalid(at: path(context), "a value of the wrong type")
            case DecodingError.valueNotFound(_, let context): .invalid(at: path(context), "a value is missing")
            case DecodingError.dataCorrupted(let context): .invalid(at: path(context), context.debugDescription)
            default: .notAPlan("\(error)")
            }
    }
}

/// The reason why a saved plan is not applied.
package enum PlanFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file is not a plan: it is not JSON, is truncated, or is another document.
    case notAPlan(String)
    /// A newer Sluice wrote the plan.
    case newer(version: Int)
    /// The digest does not match the contents.
    case edited
    /// The digest matches, but a member is invalid. The values are the member's path and the problem.
    case invalid(at: String, String)
    /// The digest matches, but this version of Sluice would send different requests for the plan.
    case requestsDiffer

    package var description: String {
        switch self {
        case .notAPlan(let reason):
            "the file is not a saved plan: \(reason); 'sluice plan --out FILE' writes one"
        case .newer(let version):
            "the plan has format version \(version), and this sluice knows versions up to \(Plan.formatVersion): "
                + "use a newer sluice, or plan again"
        case .edited:
            "the plan was changed after it was made: its digest does not match; plan again, and do not edit or reformat "
                + "the file"
        case .invalid(let place, let reason): "the plan cannot be read: \(reason) at \(place); plan again"
        case .requestsDiffer:
            "the plan's requests are not those that this version of sluice would send for it; plan again"
        }
    }
}
