/// A SplitMix64 generator: equal seeds give equal numbers on every machine.
package struct SeededGenerator: RandomNumberGenerator, Hashable, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    /// Creates the generator for a single choice, independent of all other choices and of earlier draws.
    ///
    /// - Parameters:
    ///   - seed: The seed, which all choices share.
    ///   - choice: The name of the choice, such as `outcome`.
    ///   - number: The index of the object that the choice is about, such as the position of a run.
    package init(seed: UInt64, choice: String, number: UInt64 = 0) {
        state = Self.mixed(Self.mixed(Self.mixed(seed) ^ stableHash(choice)) ^ number)
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.finalized(state)
    }

    private static func mixed(_ value: UInt64) -> UInt64 { finalized(value &+ 0x9E37_79B9_7F4A_7C15) }

    private static func finalized(_ value: UInt64) -> UInt64 {
        var bits = value
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}

extension SeededGenerator {
    /// Draws a number in `0..<1`.
    package mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Returns `true` with the given probability (0...1).
    package mutating func happens(_ probability: Double) -> Bool { fraction() < probability }

    /// Draws a version 4 UUID in lower case.
    package mutating func uuid() -> String {
        let high = next() & ~0xF000 | 0x4000
        let low = next() & ~(0xC << 60) | (0x8 << 60)
        let digits = hexadecimal(high, width: 16) + hexadecimal(low, width: 16)
        var groups: [Substring] = []
        var rest = digits[...]
        for length in [8, 4, 4, 4, 12] {
            groups.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return groups.joined(separator: "-")
    }
}
