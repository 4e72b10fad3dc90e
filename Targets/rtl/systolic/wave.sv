// A tag that travels with a wavefront: place d is what the processing elements (r, c) with r + c = d see; place 0 is `in`.
// `past` is what the places 1, 2, ... hold without what enters now.
module wave #(
    parameter int WIDTH  = 1,
    parameter int PLACES = 1
) (
    input  logic                    clock,
    input  logic                    reset,
    input  logic                    enable,
    input  logic [       WIDTH-1:0] in,
    output logic [PLACES*WIDTH-1:0] place,
    output logic [PLACES*WIDTH-1:0] past
);
  always_ff @(posedge clock)
    if (reset) past <= '0;
    else if (enable) past <= place;
  assign place = (PLACES * WIDTH)'({past, in});
endmodule
