import FlowRuns
import Manifests
import Planner

/// The place in a manifest that declares a window.
struct WindowPlace: Hashable, Sendable {
    /// The kind of the declaration, such as `series`.
    let kind: String
    let place: Place

    /// The declaration in words, such as `series at flows.yaml:12`.
    var inWords: String { "\(kind) at \(place.file):\(place.line)" }
}

extension FlowDeclaration {
    /// Finds the places that declare windows, the explicit declaration first, then series in their order.
    ///
    /// A window that no series cuts in this way, such as a batch or a trimmed window, is declared by the series around it.
    ///
    /// - Parameters:
    ///   - windows: The windows to find.
    ///   - undeclared: The recorded runs that no manifest declares.
    func places(of windows: Set<Window>, undeclared: [RecordedRun]) -> [Window: [WindowPlace]] {
        var places: [Window: [WindowPlace]] = [:]
        for explicit in self.windows where windows.contains(explicit.window) {
            places[explicit.window, default: []].append(WindowPlace(kind: "window", place: place(of: explicit)))
        }
        let end = windows.map(\.end).max() ?? .min
        for series in series {
            for window in series.windows(dueAt: end + series.lag).lazy.joined() where windows.contains(window) {
                places[window, default: []].append(WindowPlace(kind: "series", place: series.place))
            }
        }
        for window in windows.subtracting(undeclared.compactMap(\.window)) where places[window] == nil {
            places[window] = series.filter { $0.surrounds(window) }.map { WindowPlace(kind: "series", place: $0.place) }
        }
        return places
    }
}

extension Series {
    /// Whether a window lies within the time of the series.
    fileprivate func surrounds(_ window: Window) -> Bool {
        guard case .time(let until) = until else { return from <= window.start }
        return from <= window.start && window.end <= until
    }
}
