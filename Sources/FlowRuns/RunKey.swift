/// The key of a requested run, independent of the attempt: the ordinary run of a flow's window, or one rerun of it.
///
/// Keys are ordered by flow, window (unknown first) and rerun (none first). Text is compared by its bytes, as in
/// databases.
package struct RunKey: Hashable, Comparable, Sendable {
    package let flow: FlowID
    /// The window; `nil` only for a run found on the service whose window cannot be read.
    package var window: Window?
    /// The `id` of the manifest's `rerun`; `nil` for the window's ordinary run.
    package var rerun: String?

    package init(flow: FlowID, window: Window?, rerun: String? = nil) {
        self.flow = flow
        self.window = window
        self.rerun = rerun
    }

    package static func == (left: RunKey, right: RunKey) -> Bool {
        left.flow == right.flow && left.window == right.window && left.rerunBytes.elementsEqual(right.rerunBytes)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(flow)
        hasher.combine(window)
        for byte in rerunBytes { hasher.combine(byte) }
    }

    package static func < (left: RunKey, right: RunKey) -> Bool {
        if left.flow != right.flow { return left.flow < right.flow }
        guard left.window == right.window else {
            guard let leftWindow = left.window else { return true }
            guard let rightWindow = right.window else { return false }
            return leftWindow < rightWindow
        }
        return left.rerunBytes.lexicographicallyPrecedes(right.rerunBytes)
    }

    private var rerunBytes: String.UTF8View { (rerun ?? "").utf8 }
}
