import FlowRuns

/// Windows of equal length that touch: `[start + i·length, start + (i+1)·length)` for `i` in `0 ..< count`.
public struct WindowProgression: Hashable, Sendable, Sequence {
    /// Where the first window starts.
    public let start: Timestamp
    /// The length of each window.
    public let length: Duration
    /// How many windows there are.
    public let count: Int

    /// A progression of no windows where `count` or `length` is not positive.
    public init(start: Timestamp, length: Duration, count: Int) {
        self.start = start
        self.length = length
        self.count = count
    }

    /// Where the last window ends.
    public var end: Timestamp { boundary(count) }

    /// How many windows there are; the count is known.
    public var underestimatedCount: Int { count }

    /// The window at an index; `nil` outside `0 ..< count`.
    public subscript(index: Int) -> Window? {
        guard (0..<Swift.max(0, count)).contains(index) else { return nil }
        return Window(start: boundary(index), end: boundary(index + 1))
    }

    /// The windows, earliest first.
    public func makeIterator() -> Iterator { Iterator(progression: self) }

    /// Walks the windows of a progression.
    public struct Iterator: IteratorProtocol {
        fileprivate let progression: WindowProgression
        private var index = 0

        fileprivate init(progression: WindowProgression) { self.progression = progression }

        /// The next window, `nil` after the last.
        public mutating func next() -> Window? {
            defer { index += 1 }
            return progression[index]
        }
    }

    // A progression made by hand can reach past the last instant there is; wrapping gives no window there.
    private func boundary(_ index: Int) -> Timestamp {
        Timestamp(milliseconds: start.milliseconds &+ length.milliseconds &* Int64(index))
    }
}
