/// One simulation, drawn from a seed: what is declared, which machines and ledgers there are, who does what and when,
/// and what goes wrong. After a while all becomes quiet; then everything must come to its end.
struct SimulatedScenario: Sendable {
    /// Where the ledger lies, and what becomes of it.
    enum Mode: String {
        /// One shared ledger, several machines.
        case shared
        /// The same; now and then it is put back as it once was, and `ledger recheck` follows.
        case restored
        /// A file on one machine, which is lost, or put back, while nothing runs.
        case own
        /// The same while appliers are at work.
        case swapped
        /// A file that is copied from machine to machine, with the work.
        case moved
        /// Each machine has its own file; their applies come one after the other.
        case separate
        /// Two files on one machine, as in two folders, at work at the same time.
        case clones
        /// A file, then a shared ledger at another address, and possibly the old file again.
        case addressed
        /// One machine with a shared ledger that is reset to an older state, as by a forced push.
        case reset

        /// The modes that need no feature of the world.
        static let usual: [Mode] = [.shared, .restored, .own, .swapped, .moved, .separate, .clones]

        var isShared: Bool { [.shared, .restored, .reset].contains(self) }
        /// Whether an older ledger takes the place of a newer one.
        var isPutBack: Bool { [.own, .swapped, .restored, .reset].contains(self) }
    }

    struct Result: Equatable {
        var violations: [String]
        var trace: [String]
    }

    let seed: UInt64
    let mode: Mode
    let world: SimulatedWorld

    /// - Parameters:
    ///   - mode: drawn if `nil`.
    ///   - features: drawn if `nil`.
    init(seed: UInt64, mode: Mode? = nil, features: Set<SimulatedWorld.Feature>? = nil) {
        self.seed = seed
        world = SimulatedWorld(seed: seed, features: features)
        self.mode = mode ?? world.mode ?? Mode.usual[Int(seed % UInt64(Mode.usual.count))]
    }

    func run(tracing: Bool = false) -> Result {
        let simulation = Simulation(seed: seed, mode: mode, world: world, tracing: tracing)
        let hasEnded = SimulationExecutor().run(time: simulation.time, random: simulation.random) {
            await simulation.run()
        }
        return Result(
            violations: simulation.service.violations + (hasEnded ? [] : ["the simulation hangs"]),
            trace: simulation.trace.all)
    }
}

/// How long something goes on in a simulation.
enum Span {
    /// So long things go wrong.
    static let disturbed = Duration.seconds(700)
    static let requestTimeout = Duration.seconds(30)
}
