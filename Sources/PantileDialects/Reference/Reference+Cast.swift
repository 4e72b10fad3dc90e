import PantileTensor

extension Reference {
  /// The values in another element type, with the meaning of ONNX Cast.
  ///
  /// To a float rounds to nearest even; float to integer truncates toward zero and saturates, NaN becomes 0; integer to
  /// integer keeps the low bits; to `i1` is `≠ 0`.
  public static func cast(_ x: HostTensor, to type: ElementType) -> HostTensor { x.converted(to: type) }
}
