import Manifests
import Reports

/// The answers to the questions of `sluice init`, from the command line or from a terminal.
struct StartingAnswers {
    let given: [StartingQuestion: String]

    /// Prompts for each missing answer, and repeats the question if an answer is invalid.
    func ask() throws(Failure) -> StartingTarget {
        var target = try checked(asks: true)
        for question in StartingQuestion.allCases where given[question] == nil {
            question.set(try ask(question, target), in: &target)
        }
        return target
    }

    /// Uses the default for each missing answer.
    ///
    /// - Throws: ``Failure`` with all answers that are missing or invalid.
    func take() throws(Failure) -> StartingTarget { try checked(asks: false) }

    private func checked(asks: Bool) throws(Failure) -> StartingTarget {
        var target = StartingTarget(name: "", service: "", organization: "", sandbox: "", ledger: "")
        var faults: [String] = []
        for question in StartingQuestion.allCases {
            if let answer = given[question] {
                for fault in question.faults(of: answer, target) where fault.severity == .error {
                    faults.append("\(question.option): \(fault.sentence)")
                }
                question.set(answer, in: &target)
            } else if let answer = question.standard(target) {
                question.set(answer, in: &target)
            } else if !asks {
                faults.append("\(question.option) is missing, and there is no terminal to ask at")
            }
        }
        guard faults.isEmpty else { throw Failure(.usage, "no target can be written", details: faults) }
        return target
    }

    private func ask(_ question: StartingQuestion, _ known: StartingTarget) throws(Failure) -> String {
        let standard = question.standard(known)
        while true {
            let hint = standard.map { " [\($0)]" } ?? ""
            guard let line = Console.ask("\(question.text(known))\(hint):") else {
                throw Failure(.usage, "the input has ended; nothing was written")
            }
            guard let answer = line.isEmpty ? standard : line else { continue }
            let faults = question.faults(of: answer, known)
            for fault in faults { Console.say("  \(fault.severity.rawValue): \(fault.sentence)") }
            if !faults.hasErrors { return answer }
        }
    }
}

extension Diagnostic {
    fileprivate var sentence: String { message + (suggestion.map { ": \($0)" } ?? "") }
}
