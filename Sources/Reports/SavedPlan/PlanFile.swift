import Crypto
import Foundation
import Manifests
import Planner
import Text

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
    guard planJSON(plan) == bytes else { throw .otherwiseToday }
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
    case Plan.formatVersion...: throw .newer(found: version)
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
