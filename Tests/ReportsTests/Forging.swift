import Crypto
import Foundation

@testable import Reports

/// The plan's text with a digest that holds.
func signed(_ plan: String) -> [UInt8] {
    guard let digest = plan.range(of: ",\n  \"digest\": \"", options: .backwards) else { return Array(plan.utf8) }
    var hash = SHA256()
    hash.update(data: Array(plan[..<digest.lowerBound].utf8))
    return Array((plan[..<digest.upperBound] + digestText(hash) + "\"\n}\n").utf8)
}

/// A small generator, the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
