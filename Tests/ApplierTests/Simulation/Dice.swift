import FlowRuns
import Synchronization

/// The simulation's only source of chance: everything follows from its seed (SplitMix64).
final class Dice: Sendable {
    private let state: Mutex<UInt64>

    init(seed: UInt64) { state = Mutex(seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678_9ABC_DEF1) }

    private func next() -> UInt64 {
        state.withLock { state in
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    /// A number in `0 ..< sides`.
    func roll(_ sides: Int) -> Int { sides <= 1 ? 0 : Int(next() % UInt64(sides)) }
    func roll(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(roll(Int(range.upperBound - range.lowerBound) + 1))
    }
    /// Whole milliseconds, from none to `longest`.
    func roll(upTo longest: Duration) -> Duration { .milliseconds(roll(0...longest.milliseconds)) }
    /// A number in `0 ..< 1`.
    func chance() -> Double { Double(next() >> 11) * 0x1p-53 }
    func happens(_ probability: Double) -> Bool { chance() < probability }
}
