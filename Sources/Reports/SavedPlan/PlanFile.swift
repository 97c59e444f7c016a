import Crypto
import Foundation
import Planner

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
    let document: PlanDocument
    do {
        document = try JSONDecoder().decode(PlanDocument.self, from: Data(bytes))
    } catch {
        throw PlanFileError(error)
    }
    let plan = document.plan
    guard planJSON(plan) == bytes else { throw .otherwiseToday }
    return plan
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
