import PantileProblem
import PantileSupport

extension ScheduleMethod {
  public static let cosma = ScheduleMethod("cosma", "x") { (planner) throws(DiagnosticError) in nil }
  public static let tflite = ScheduleMethod("tflite", "x") { (planner) throws(DiagnosticError) in nil }
}
