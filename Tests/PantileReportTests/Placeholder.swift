// Placeholder until the first real test of PantileReportTests lands.
