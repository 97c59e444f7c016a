/// Where every choice of the simulator comes from: the same seed gives the same ids, outcomes and faults, whatever the
/// order in which they are asked for.
struct Seed: Hashable, Sendable {
    let value: UInt64

    /// What a number is drawn for, so that one choice never disturbs another.
    enum Purpose: Hashable, Sendable {
        case runID, outcome, records, etag
        /// The fault at that place of the list.
        case fault(Int)

        fileprivate var number: UInt64 {
            switch self {
            case .runID: 1
            case .outcome: 2
            case .records: 3
            case .etag: 4
            case .fault(let place): 16 &+ UInt64(truncatingIfNeeded: place)
            }
        }
    }

    /// 64 random-looking bits.
    func number(_ purpose: Purpose, _ index: UInt64) -> UInt64 {
        mixed(mixed(mixed(value) ^ purpose.number) ^ index)
    }

    /// In `0..<1`.
    func fraction(_ purpose: Purpose, _ index: UInt64) -> Double {
        Double(number(purpose, index) >> 11) / Double(UInt64(1) << 53)
    }

    /// A UUID of version 4 in lower case.
    func uuid(_ purpose: Purpose, _ index: UInt64) -> String {
        let high = number(purpose, index &* 2) & ~0xF000 | 0x4000
        let low = number(purpose, index &* 2 &+ 1) & ~(0xC << 60) | (0x8 << 60)
        let digits = hexadecimal(high, 16) + hexadecimal(low, 16)
        var groups: [Substring] = []
        var rest = digits[...]
        for length in [8, 4, 4, 4, 12] {
            groups.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return groups.joined(separator: "-")
    }
}

/// At least `width` hexadecimal digits in lower case.
func hexadecimal(_ number: UInt64, _ width: Int) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

/// FNV-1a: turns an id into an index that a number can be drawn for.
func stableHash(_ text: String) -> UInt64 {
    text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}

/// The finaliser of SplitMix64.
private func mixed(_ value: UInt64) -> UInt64 {
    var bits = value &+ 0x9E37_79B9_7F4A_7C15
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
}
