import FlowRuns
import Text

/// A table of aligned columns.
///
/// If the width is limited, the widest shrinkable columns become narrower until the table fits. A text that is too long
/// for the first column is put on a line above the rest of its row; in other columns it is truncated in the middle.
package struct TextTable: Sendable {
    /// A column: its title, and its layout.
    package struct Column: Hashable, Sendable {
        package enum Alignment: Hashable, Sendable {
            case left
            case right
        }

        package let title: String
        package let alignment: Alignment
        /// Whether the cells may be truncated.
        package let isShrinkable: Bool

        package init(_ title: String, _ alignment: Alignment = .left, isShrinkable: Bool = false) {
            self.title = title
            self.alignment = alignment
            self.isShrinkable = isShrinkable
        }
    }

    struct Cell {
        let text: String
        let tone: TextStyle.Tone

        /// Creates a cell. The text is made printable before the table measures its width.
        init(_ text: String, _ tone: TextStyle.Tone = .plain) {
            self.text = printable(text)
            self.tone = tone
        }
    }

    private enum Row {
        case cells([Cell])
        /// A line below a row, which belongs to no column.
        case remark(String)
    }

    private static let minWidth = 8
    /// The number of spaces between two cells.
    private static let gap = 2

    private let columns: [Column]
    private let style: TextStyle
    private var rows: [Row] = []

    package init(_ columns: [Column], style: TextStyle) {
        self.columns = columns
        self.style = style
    }

    /// Appends a row. Missing cells are empty, and surplus cells are ignored.
    package mutating func add(_ cells: [String]) { add(cells.map { Cell($0) }) }

    /// Appends a line that belongs to the previous row.
    package mutating func addRemark(_ text: String) { rows.append(.remark(text)) }

    mutating func add(_ cells: [Cell]) {
        let missing = max(0, columns.count - cells.count)
        rows.append(.cells(cells.prefix(columns.count) + Array(repeating: Cell(""), count: missing)))
    }

    /// Whether the table fits without truncated cells.
    package var fits: Bool { total(fullWidths()) <= style.width ?? .max }

    private func total(_ widths: [Int]) -> Int { widths.reduce(0, +) + Self.gap * (columns.count - 1) }

    /// The title line and the rows; empty if there are no rows.
    package var lines: [StyledText] {
        guard !rows.isEmpty else { return [] }
        let widths = fittingWidths()
        let titles = line(columns.map { Cell($0.title, .strong) }, widths: widths)
        return [titles]
            + rows.flatMap { row in
                switch row {
                case .cells(let cells): lines(cells, widths: widths)
                case .remark(let remark): style.lines(remark, .quiet, indent: 4)
                }
            }
    }

    private func fullWidths() -> [Int] {
        var widths = columns.map(\.title.columns)
        for case .cells(let cells) in rows {
            for (index, cell) in cells.enumerated() { widths[index] = max(widths[index], cell.text.columns) }
        }
        return widths
    }

    private func fittingWidths() -> [Int] {
        var widths = fullWidths()
        guard let width = style.width else { return widths }
        var surplus = total(widths) - width
        while surplus > 0 {
            let candidates = columns.indices.filter { columns[$0].isShrinkable && widths[$0] > Self.minWidth }
            guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
            widths[widest] -= 1
            surplus -= 1
        }
        return widths
    }

    private func lines(_ cells: [Cell], widths: [Int]) -> [StyledText] {
        guard let first = cells.first, first.text.columns > widths[0], let width = style.width else {
            return [line(cells, widths: widths)]
        }
        let alone = style.paint(first.text.cutInMiddle(to: width, style), first.tone)
        let rest = line([Cell("")] + cells.dropFirst(), widths: widths)
        return rest.isEmpty ? [alone] : [alone, rest]
    }

    private func line(_ cells: [Cell], widths: [Int]) -> StyledText {
        var line = StyledText()
        // Delay spaces until the next text, so that no line ends with spaces.
        var pending = 0
        for (index, cell) in cells.enumerated() {
            let text = cell.text.cutInMiddle(to: widths[index], style)
            let space = max(0, widths[index] - text.columns)
            let isRight = columns[index].alignment == .right
            if isRight { pending += space }
            if !text.isEmpty {
                line += "\(StyledText.spaces(pending))\(style.paint(text, cell.tone))"
                pending = 0
            }
            pending += (isRight ? 0 : space) + Self.gap
        }
        return line
    }
}
