import Manifests
import Reports

/// The answers to the questions of `sluice init`, from the command line or from a terminal.
struct InitAnswers {
    let options: [InitQuestion: String]

    /// Prompts for each missing answer, and repeats the question if an answer is invalid.
    func ask() throws(Failure) -> TargetTemplate {
        var target = try checked(canAsk: true)
        for question in InitQuestion.allCases where options[question] == nil {
            question.set(try ask(question, target), in: &target)
        }
        return target
    }

    /// Uses the default for each missing answer.
    ///
    /// - Throws: ``Failure`` with all answers that are missing or invalid.
    func fromOptions() throws(Failure) -> TargetTemplate { try checked(canAsk: false) }

    private func checked(canAsk: Bool) throws(Failure) -> TargetTemplate {
        var target = TargetTemplate(name: "", service: "", organization: "", sandbox: "", ledger: "")
        var problems: [String] = []
        for question in InitQuestion.allCases {
            if let answer = options[question] {
                for problem in question.problems(of: answer, target) where problem.severity == .error {
                    problems.append("\(question.option): \(problem.sentence)")
                }
                question.set(answer, in: &target)
            } else if let answer = question.defaultAnswer(target) {
                question.set(answer, in: &target)
            } else if !canAsk {
                problems.append("\(question.option) is required when standard input is not a terminal")
            }
        }
        guard problems.isEmpty else { throw Failure(.usage, "cannot write a target", details: problems) }
        return target
    }

    private func ask(_ question: InitQuestion, _ known: TargetTemplate) throws(Failure) -> String {
        let defaultAnswer = question.defaultAnswer(known)
        while true {
            let hint = defaultAnswer.map { " [\($0)]" } ?? ""
            guard let line = Console.ask("\(question.text(known))\(hint):") else {
                throw Failure(.usage, "the input has ended; nothing was written")
            }
            guard let answer = line.isEmpty ? defaultAnswer : line else { continue }
            let problems = question.problems(of: answer, known)
            for problem in problems { Console.printNote("  \(problem.severity.rawValue): \(problem.sentence)") }
            if !problems.hasErrors { return answer }
        }
    }
}

extension Diagnostic {
    fileprivate var sentence: String { message + (suggestion.map { ": \($0)" } ?? "") }
}
