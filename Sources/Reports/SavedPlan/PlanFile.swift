import Crypto
import Foundation
import Planner

/// Reads a saved plan back; the result equals the plan that ``writePlan(_:to:)`` was given, without its target's
/// `runLink`, which only reports need.
///
/// What was approved is what is sent: so the digest must hold, and writing the plan again must give the same bytes.
///
/// - Parameter bytes: the whole file.
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

/// A plan begins with its version; only what does not is looked at more closely, to tell what it is.
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

/// The digest is the last member, over every byte before the comma that leads to it.
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
