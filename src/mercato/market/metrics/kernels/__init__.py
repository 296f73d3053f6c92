"""Pure numerical kernels behind the metrics: what an ibis expression cannot say. Arrays and values in, values out."""
