/// What the graph operations mean, as plain functions on host tensors.
///
/// These functions judge the chip: they share no code with the engines, use no threads, and fix the order of every float
/// sum, so that the same input gives the same bits. Shapes are those that the operation verifiers accept; a violation is
/// a fault of the caller and stops the process.
///
/// `f16` and `bf16` tensors are computed in `f32` and rounded once at the end.
public enum Reference {}
