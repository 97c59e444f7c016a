import Crypto
import Foundation

@testable import Reports

/// Returns the text of a plan with a valid digest.
func signed(_ plan: String) -> [UInt8] {
    guard let digest = plan.range(of: ",\n  \"digest\": \"", options: .backwards) else { return Array(plan.utf8) }
    var hash = SHA256()
    hash.update(data: Array(plan[..<digest.lowerBound].utf8))
    return Array((plan[..<digest.upperBound] + digestText(hash) + "\"\n}\n").utf8)
}
