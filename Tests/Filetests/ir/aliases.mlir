// Aliases of attributes, types and locations; the location's comes last.
#map = affine_map<(d0) -> (d0)>
!image = tensor<1x3x8x8xf32, #dnn.nm<2:4>>
func.func @main(%x: !image loc("input")) -> !image {
  "x.op"() {map = #map} : () -> () loc(#loc1)
  func.return %x : !image
}
#loc1 = loc(fused["a", "b"("model.onnx":1:2)])
