#include "openrd/audit_commands.hpp"

#include "audit/export.hpp"
#include "audit/verify.hpp"
#include "openrd/failure.hpp"

#include <cstdio>

namespace openrd {

int export_audit(const ExportCommand& command) {
    auto data = open_existing_data(command.place);
    const base::Clock clock;
    audit::ExportReport report;
    try {
        report = audit::export_log(*data.engine, data.ring, clock, {.directory = command.out, .origin = data.audit_origin});
    } catch (...) {
        data.engine->close();
        throw;
    }
    data.engine->close();
    for (const auto& warning : report.warnings) std::fprintf(stderr, "openrd: warning: %s\n", warning.c_str());
    std::printf("%llu entries, %llu of them sealed, %llu checkpoints in %s (%llu entries are new)\n", static_cast<unsigned long long>(report.entries),
                static_cast<unsigned long long>(report.sealed), static_cast<unsigned long long>(report.checkpoints), command.out.c_str(),
                static_cast<unsigned long long>(report.added));
    if (report.erased_subjects != 0)
        std::printf("the personal data of %lld subjects are unreadable: they were erased (SubjectErased in the log says which)\n", static_cast<long long>(report.erased_subjects));
    return report.warnings.empty() ? 0 : refused_status;
}

int verify_audit(const VerifyCommand& command) {
    const auto report = audit::verify(command.directory, command.key_file);
    std::fputs(report.text().c_str(), stdout);
    return report.ok() ? 0 : refused_status;
}

}  // namespace openrd
