import PantileProve
import Testing

struct LanguageTests {}
