import Synchronization
import Text

/// The one random generator of a simulation, shared by all of its tasks: everything follows from its seed.
final class SimulationRandom: Sendable {
    private let generator: Mutex<SeededGenerator>

    /// - Parameter choice: selects an independent sequence.
    init(seed: UInt64, choice: String = "simulation") {
        generator = Mutex(SeededGenerator(seed: seed, choice: choice))
    }

    func number() -> UInt64 { generator.withLock { $0.next() } }
    /// In `0..<1`.
    func fraction() -> Double { generator.withLock { $0.fraction() } }
    func happens(_ probability: Double) -> Bool { fraction() < probability }
    /// In `0 ..< count`.
    func below(_ count: Int) -> Int { count <= 1 ? 0 : Int(number() % UInt64(count)) }
    func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }
    /// To the millisecond, both included.
    func duration(_ range: ClosedRange<Duration>) -> Duration {
        let least = range.lowerBound.milliseconds
        return .milliseconds(least + Int64(below(Int(range.upperBound.milliseconds - least) + 1)))
    }
    func duration(upTo longest: Duration) -> Duration { duration(.zero...longest) }
    func seconds(_ choices: Double...) -> Duration { .milliseconds(Int64(pick(choices) * 1000)) }
}

extension Array where Element: Sendable {
    func randomElement(_ random: SimulationRandom) -> Element? { isEmpty ? nil : random.pick(self) }
}
