import FlowRuns
import FlowServiceSimulator
import Manifests

/// What the manifests of a simulation declare. Reruns are declared as time goes on.
struct SimulatedManifest: Sendable {
    var flows: [SimulatedFlowDeclaration]

    func flow(_ id: FlowID) -> SimulatedFlowDeclaration? { flows.first { $0.id == id } }

    /// The flow's declaration in the manifests that were in force at this time.
    func flow(_ id: FlowID, at elapsed: Duration) -> SimulatedFlowDeclaration? { flow(id)?.version(at: elapsed) }

    static func drawn(_ random: SimulationRandom, _ world: SimulatedWorld) -> SimulatedManifest {
        var flows: [SimulatedFlowDeclaration] = (0..<random.pick([1, 1, 1, 2, 3])).map { .drawn($0, random, world) }
        if random.happens(world.has(.edits) ? 0.5 : 0.2) {
            let time = random.duration(.seconds(20) ... .seconds(500))
            flows[0].declaredUntil = time
            var next = flows[0].replaced(by: .numbered(flows.count), at: time)
            if world.has(.edits), random.happens(0.7) { next = next.recut(random) }
            flows.append(next)
        }
        if world.has(.edits) { for index in flows.indices { flows[index].edit(random) } }
        if world.has(.plans), random.happens(0.6) { flows[0].pause(random) }
        return SimulatedManifest(flows: flows)
    }

    /// When the flow that replaces another one is declared in its place.
    var replacements: [Duration] { flows.compactMap { $0.replaces == nil ? nil : $0.declaredFrom } }
}

struct SimulatedFlowDeclaration: Sendable {
    struct TimedRerun: Sendable {
        let window: Window
        let id: String
        let declaredAt: Duration
    }

    var id: FlowID
    var source = SourceKind.file
    var overlap = FlowDeclaration.Overlap.error
    var retries = Retries()
    var order = FlowDeclaration.Order.oldestFirst
    var windows: [Window] = []
    var series: Series?
    /// Of the series, in order.
    var seriesWindows: [Window] = []
    var batch: Series.Step?
    var reruns: [TimedRerun] = []
    var replaces: FlowID?
    var declaredFrom = Duration.zero
    var declaredUntil: Duration?
    var pause: Pause?
    /// Later versions, each in force for applies that begin at its time or later.
    private(set) var edits: [(at: Duration, flow: SimulatedFlowDeclaration)] = []

    static let place = Place(file: "simulated.yaml", line: 1, column: 1)
    static let length = Duration.seconds(60)

    var column: DeltaColumn? { source == .table ? DeltaColumn(name: "DOB") : nil }

    /// How many runs of the window are declared by now; 1 for a piece of a trimmed window.
    func slots(of window: Window, at elapsed: Duration) -> Int {
        1 + reruns.filter { $0.window == window && $0.declaredAt <= elapsed }.count
    }

    func isDeclared(at elapsed: Duration) -> Bool {
        declaredFrom <= elapsed && declaredUntil.map { elapsed < $0 } ?? true
    }

    /// The flows whose runs count for this one: itself, and the flow that it replaces.
    var counted: [FlowID] { [id] + (replaces.map { [$0] } ?? []) }

    func counts(runsOf flow: FlowID) -> Bool { counted.contains(flow) }

    /// The same windows under another id.
    func replaced(by id: FlowID, at time: Duration) -> SimulatedFlowDeclaration {
        var flow = self
        flow.id = id
        flow.replaces = self.id
        (flow.declaredFrom, flow.declaredUntil) = (time, nil)
        return flow
    }

    /// Whether it is a window of the series, a piece of one, or several in one run.
    func isOfSeries(_ window: Window) -> Bool { seriesWindows.contains { $0.overlaps(window) } }

    var allWindows: [Window] { windows + seriesWindows }

    /// Whether a batch of the series may be of this window.
    func mayBeBatch(_ window: Window) -> Bool {
        batch != nil && seriesWindows.contains { $0.start == window.start }
            && seriesWindows.contains { $0.end == window.end }
    }

    /// Whether a run of another cut overlaps a declared window, where that is an error, or leaves no whole window for a
    /// rerun.
    func canBeBlocked(by runs: [SimulatedRun]) -> Bool {
        if isEdited { return true }
        guard overlap == .error || (overlap == .trim && !reruns.isEmpty) else { return false }
        let cut = runs.filter { counts(runsOf: $0.flow) }.compactMap(\.window)
        let mayBeLonger = series != nil && reruns.isEmpty
        return cut.contains { run in
            allWindows.contains { $0 != run && $0.overlaps(run) && !(mayBeLonger && run.contains($0)) }
        }
    }

    // MARK: Versions

    func version(at elapsed: Duration) -> SimulatedFlowDeclaration { edits.last { $0.at <= elapsed }?.flow ?? self }

    /// The versions that were in force until then.
    func versions(until elapsed: Duration) -> [SimulatedFlowDeclaration] {
        [self] + edits.filter { $0.at <= elapsed }.map(\.flow)
    }

    /// Whether an edit changed the windows or the overlap rule.
    private(set) var isEdited = false

    /// The same span with windows of another length or phase.
    func recut(_ random: SimulationRandom) -> SimulatedFlowDeclaration {
        var flow = self
        guard let span = span else { return flow }
        let length = random.seconds(30, 45, 90, 120, 180)
        let first = span.start + random.seconds(0, 0, 30, -30)
        let count = max(1, Int((span.end - first).milliseconds / length.milliseconds))
        let windows = Self.windows(from: first, count, length: length)
        flow.isEdited = true
        flow.reruns = []
        if let series {
            flow.seriesWindows = windows
            flow.series = Series(
                every: .fixed(length), from: first, until: .time(first + length * count), lag: series.lag,
                place: series.place)
        } else {
            flow.windows = windows
        }
        return flow
    }

    private var span: Window? {
        guard let first = allWindows.min(), let last = allWindows.max() else { return nil }
        return Window(start: first.start, end: last.end)
    }

    /// Draws the later versions.
    fileprivate mutating func edit(_ random: SimulationRandom) {
        var flow = self
        let times = (0..<random.pick([1, 1, 2, 3])).map { _ in random.duration(.seconds(5) ... .seconds(600)) }
        for time in times.sorted() {
            switch random.below(6) {
            case 0, 1: flow = flow.recut(random)
            case 2:
                flow.overlap = random.pick([.error, .trim, .trim, .allow])
                flow.isEdited = true
                if flow.overlap == .allow { flow.batch = nil }
            case 3: flow.retries = Retries(random.pick([0, 1, 2, 3]))
            case 4:
                guard flow.reruns.isEmpty, flow.overlap != .allow else { continue }
                flow.batch = random.pick([nil, .fixed(Self.length * 2), .fixed(Self.length * 5)])
            default:
                flow.pause = flow.pause == nil ? Pause(reason: "for now", place: Self.place) : nil
            }
            edits.append((time, flow))
        }
    }

    /// Pauses the flow for days, and resumes it near the end of the simulation.
    fileprivate mutating func pause(_ random: SimulationRandom) {
        var paused = version(at: .seconds(10_000))
        var resumed = paused
        resumed.pause = nil
        paused.pause = Pause(
            reason: "for days", until: VirtualTime.start + .seconds(216_000), place: Self.place)
        let time = random.duration(.zero ... .seconds(200))
        edits.removeAll { $0.at >= time }
        edits += [(time, paused), (.seconds(650), resumed)]
    }

    func declaration(at elapsed: Duration, acknowledged: [Acknowledgement]) -> FlowDeclaration {
        FlowDeclaration(
            id: id, manifest: "simulated", target: "simulated", source: source,
            deltaColumn: column.map { DeclaredColumn(column: $0, place: Self.place) }, overlap: overlap,
            retries: retries, order: order,
            windows: windows.map { DeclaredWindow(window: $0, line: 1, column: 1) },
            series: series.map { [$0] } ?? [], batch: batch,
            reruns: reruns.filter { $0.declaredAt <= elapsed }.map {
                Rerun(window: $0.window, id: $0.id, reason: "again", place: Self.place)
            }, acknowledged: acknowledged, pauses: pause.map { [$0] } ?? [], replaced: replaces.map { [$0] },
            place: Self.place)
    }

    /// Explicit windows of long ago, or a series some of whose windows end while the simulation lasts.
    static func drawn(
        _ number: Int, _ random: SimulationRandom, _ world: SimulatedWorld
    ) -> SimulatedFlowDeclaration {
        var flow = SimulatedFlowDeclaration(id: .numbered(number))
        flow.source = random.pick([.table, .file])
        // With `error` a new cut mostly refuses the plan.
        flow.overlap = random.pick(world.has(.edits) ? [.error, .trim, .trim] : [.error, .error, .trim, .allow])
        flow.retries = Retries(random.pick(world.has(.echoes) || world.has(.edits) ? [1, 1, 2] : [0, 1, 2]))
        if world.has(.ends) {
            flow.retries = Retries(
                flow.retries.times,
                of: random.pick([[.failed], [.failed, .partial], [.failed, .empty], [.failed, .partial, .empty]]))
        }
        flow.order = random.pick([.oldestFirst, .oldestFirst, .newestFirst])
        let count = random.pick([2, 3, 4, 8])
        if random.happens(0.3) {
            let past = random.pick([1, count - 1])
            let first = VirtualTime.start - length * past
            flow.seriesWindows = windows(from: first, count)
            flow.series = Series(
                every: .fixed(.seconds(60)), from: first, until: .time(first + length * count),
                lag: random.seconds(0, 0, 30),
                place: place)
        } else {
            flow.windows = windows(from: VirtualTime.start - .seconds(86_400), count)
        }
        for number in 0..<random.pick([0, 0, 1, 2]) {
            flow.reruns.append(
                TimedRerun(
                    window: random.pick(flow.allWindows), id: "r\(number)",
                    declaredAt: random.seconds(0, 0, 250)))
        }
        // A batch leaves no run of exactly one window, which a rerun needs.
        if flow.reruns.isEmpty, flow.overlap != .allow {
            flow.batch = random.pick([nil, .fixed(length * 2), .fixed(length * 5)])
        }
        return flow
    }

    private static func windows(from first: Timestamp, _ count: Int, length: Duration = Self.length) -> [Window] {
        (0..<count).map { Window(start: first + length * $0, end: first + length * ($0 + 1))! }
    }
}

extension FlowID {
    fileprivate static func numbered(_ number: Int) -> FlowID {
        FlowID("00000000-0000-4000-8000-00000000000\(number)")!
    }
}
