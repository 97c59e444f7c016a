import Synchronization

/// What happened, in order; empty unless it was asked for.
final class Trace: Sendable {
    let isOn: Bool
    private let lines = Mutex<[String]>([])

    init(isOn: Bool) { self.isOn = isOn }

    var all: [String] { lines.withLock(\.self) }

    func add(_ time: VirtualTime, _ words: @autoclosure () -> String) {
        guard isOn else { return }
        let line = "\(time.elapsed.milliseconds) \(words())"
        lines.withLock { $0.append(line) }
    }
}
