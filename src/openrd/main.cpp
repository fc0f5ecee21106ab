// The composition root: the command line, and one function for each command.
#include "db/engine.hpp"
#include "keys/key_file.hpp"
#include "openrd/abuse_commands.hpp"
#include "openrd/account.hpp"
#include "openrd/audit_commands.hpp"
#include "openrd/backup.hpp"
#include "openrd/call.hpp"
#include "openrd/config.hpp"
#include "openrd/copy.hpp"
#include "openrd/describe.hpp"
#include "openrd/erase.hpp"
#include "openrd/failure.hpp"
#include "openrd/init.hpp"
#include "openrd/keys_commands.hpp"
#include "openrd/migrate.hpp"
#include "openrd/numbering_file.hpp"
#include "openrd/outbox_commands.hpp"
#include "openrd/process.hpp"
#include "openrd/serve.hpp"
#include "openrd/settings.hpp"
#include "openrd/version.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdio>
#include <functional>
#include <system_error>

namespace {

using namespace openrd;

// What the command line has chosen.
using Command = std::function<int()>;

void add_serve(CLI::App& app, Command& command) {
    auto words = std::make_shared<ServeWords>();
    auto* serve_command = app.add_subcommand("serve", "Run the server");
    auto* sandbox = serve_command->add_flag("--sandbox", words->sandbox, "Fixed accounts and keys, an inbox instead of phones, a clock that can be moved");
    serve_command->add_option("--config", words->config, "The configuration file of a production server; everything stands in there")->excludes(sandbox);
    std::vector<CLI::Option*> of_sandbox = {
        serve_command->add_option("--listen", words->listen, "Address and port; port 0 takes a free one (127.0.0.1:8080)"),
        serve_command->add_option("--tls-listen", words->tls_listen, "Address and port for HTTPS, beside --listen"),
        serve_command->add_option("--tls-cert", words->tls_cert, "PEM file: the certificate and those between it and its root"),
        serve_command->add_option("--tls-key", words->tls_key, "PEM file: its private key"),
        serve_command->add_option("--data", words->data, "Where the data are (./openrd-data)"),
        serve_command->add_option("--database", words->database, "A PostgreSQL database instead of a file: postgresql://user@host/name"),
        serve_command->add_option("--database-connections", words->database_connections, "Connections to that database, each with a thread (32)"),
        serve_command->add_flag("--memory", words->memory, "Keep nothing: a private directory that goes at the end"),
        serve_command->add_option("--key-file", words->key_file, "The key file (openrd.key in the data directory)"),
        serve_command->add_option("--numbering", words->numbering, "A numbering table (tools/numbering_from_npm.js), used when it is newer than the built-in one"),
        serve_command->add_option("--site", words->site, "international or china (international)"),
        serve_command->add_option("--limits", words->limits, "open, documented or strict (open)"),
        serve_command->add_option("--disable-action", words->disabled_actions, "An operation that the site switches off; may be repeated")->allow_extra_args(false),
        serve_command->add_flag("--allow-remote", words->allow_remote, "Let --listen be an address that others can reach"),
        serve_command->add_option("--ready-file", words->ready_file, "A file that holds the address while the server accepts"),
        serve_command->add_option("--log-level", words->log_level, "debug, info, warning, error or off (info)"),
        serve_command->add_flag("--audit-reads", words->audit_reads, "Record successful reads in the audit log as well"),
        serve_command->add_option("--threads", words->threads, "Threads that serve connections (one for each core)"),
    };
    for (auto* option : of_sandbox) option->excludes("--config");
    serve_command->final_callback([words, &command] { command = [words] { return serve(serve_options(*words)); }; });
}

void add_init(CLI::App& app, Command& command) {
    auto words = std::make_shared<InitCommand>();
    auto* init_command = app.add_subcommand("init", "Make the key file and the database of a production server, with its first management account; prints the AccessKey pair once");
    init_command->add_option("--config", words->config, "The configuration file")->required();
    init_command->add_option("--account-name", words->account_name, "The account's name")->required();
    init_command->add_option("--enterprise-name", words->enterprise_name, "The enterprise that it is verified as")->required();
    init_command->add_option("--email", words->email, "Its e-mail address");
    init_command->add_option("--key-file", words->key_file, "Make the key file here, not where keys.file says");
    init_command->final_callback([words, &command] { command = [words] { return init(*words); }; });
}

void add_call(CLI::App& app, Command& command) {
    auto* call_command = app.add_subcommand("call", "Call an operation of the API, signed: openrd call Action --Name value");
    // The words of a call are its own business: --FolderName and its value are no options of ours.
    call_command->prefix_command();
    call_command->set_help_flag();
    call_command->final_callback([call_command, &command] { command = [words = call_command->remaining()] { return call(words); }; });
}

CLI::App* add_place(CLI::App* command, DataPlace& place) {
    place.directory = default_data_directory;
    auto* config = command->add_option("--config", place.config, "The configuration file of a production server, which says where the data are");
    command->add_option("--data", place.directory, "Where the data are (./openrd-data)")->excludes(config);
    command
        ->add_option_function<std::string>(
            "--database", [&place](const std::string& url) { place.url = checked_url(url); }, "A PostgreSQL database instead: postgresql://user@host/name")
        ->excludes(config);
    command->add_option("--key-file", place.key_file, "The key file (openrd.key in the data directory, or what the configuration says)");
    return command;
}

// Where a command finds the data, once it runs.
DataPlace place_of(const DataPlace& words) {
    if (words.config.empty()) return words;
    auto place = read_config(words.config).place;
    if (!words.key_file.empty()) place.key_file = words.key_file;
    return place;
}

// A command that works on the data: `run` is called with options whose place is settled, so that none forgets the configuration.
template <typename Options>
CLI::App* add_with_place(CLI::App* to, const char* name, const char* says, const std::shared_ptr<Options>& options, int (*run)(const Options&), Command& command) {
    auto* one = add_place(to->add_subcommand(name, says), options->place);
    one->final_callback([options, run, &command] {
        command = [options, run] {
            options->place = place_of(options->place);
            return run(*options);
        };
    });
    return one;
}

void add_account(CLI::App& app, Command& command) {
    auto options = std::make_shared<AccountOptions>();
    auto* account = app.add_subcommand("account", "Look after accounts, beside a running server or without one; recorded in the audit log")->require_subcommand(1);
    const auto add = [&](const char* name, const char* says, int (*run)(const AccountOptions&)) { return add_with_place(account, name, says, options, run, command); };
    const auto with_id = [&](CLI::App* one) { one->add_option("account", options->account_id, "The account's id, 16 digits")->required(); };
    auto* create = add("create", "Make an account outside of every directory", create_account);
    create->add_option("--name", options->name, "Its name")->required();
    create->add_option("--email", options->email, "Its e-mail address")->required();
    create->add_option("--enterprise-name", options->enterprise_name, "The enterprise that it is verified as");
    add("list", "List all accounts", list_accounts);
    with_id(add("show", "Show one account", show_account));
    auto* key = add("create-access-key", "Make an AccessKey pair and print it, once", create_access_key);
    with_id(key);
    key->add_option("--user", options->user_name, "Of this RAM user, not of the root; made when it is not there");
    key->add_option("--policy", options->policies, "System policy to attach to the user; may be repeated")->allow_extra_args(false);
    auto* verify = add("verify-enterprise", "Record that the enterprise was verified", verify_enterprise);
    with_id(verify);
    with_id(add("withdraw-enterprise", "Record that the verification was withdrawn", withdraw_enterprise));
    with_id(add("unbind-phone", "Remove a member's secure phone, so that another can be bound", unbind_phone));
    with_id(add("lock", "Send no codes for an account and redeem none, until it is unlocked", lock_account));
    with_id(add("erase-person", "Erase the personal data of an account's phone; what the audit log says of it becomes unreadable", erase_person));
    with_id(add("unlock", "Lift the lock of an account after wrong codes", unlock_account));
}

void add_suppress(CLI::App& app, Command& command) {
    auto options = std::make_shared<SuppressOptions>();
    auto* suppress = app.add_subcommand("suppress", "Phones that are sent nothing; recorded in the audit log")->require_subcommand(1);
    const auto add = [&](const char* name, const char* says, int (*run)(const SuppressOptions&)) { return add_with_place(suppress, name, says, options, run, command); };
    const auto with_phone = [&](CLI::App* one) { one->add_option("phone", options->phone, "65-81234567 or +6581234567; only its keyed hash is kept")->required(); };
    auto* adding = add("add", "Send nothing to a phone any more", suppress_add);
    with_phone(adding);
    adding->add_option("--reason", options->reason, "operator, stop or bounce (operator)");
    adding->add_option("--days", options->days, "For so many days (for good)");
    with_phone(add("remove", "Send to a phone again", suppress_remove));
    add("list", "List the suppressions, without the numbers", suppress_list);
}

void add_limits(CLI::App& app, Command& command) {
    auto options = std::make_shared<LimitsOptions>();
    auto* limits = app.add_subcommand("limits", "A directory's own limits, and the countries that are paused; recorded in the audit log")->require_subcommand(1);
    const auto add = [&](const char* name, const char* says, int (*run)(const LimitsOptions&)) { return add_with_place(limits, name, says, options, run, command); };
    const auto with_directory = [&](CLI::App* one) { one->add_option("directory", options->directory_id, "The directory's id, rd-...")->required(); };
    auto* setting = add("set", "Give a directory limits of its own instead of those of the settings", limits_set);
    with_directory(setting);
    setting->add_option("--sends-per-hour", options->sends_per_hour, "Messages in an hour, or none for no limit");
    setting->add_option("--sends-per-day", options->sends_per_day, "Messages in a day, or none");
    setting->add_option("--wrong-per-day", options->wrong_per_day, "Wrong guesses in a day, or none");
    with_directory(add("show", "Show a directory's limits", limits_show));
    with_directory(add("clear", "Let the settings hold for a directory again", limits_clear));
    add("paused", "List the countries that are sent nothing, since their codes were not redeemed", limits_paused);
    add("release", "Send to such a country again", limits_release)->add_option("code", options->calling_code, "The calling code, such as 65")->required();
}

void add_numbering(CLI::App& app, Command& command) {
    auto options = std::make_shared<NumberingOptions>();
    options->data_directory = default_data_directory;
    auto* numbering = app.add_subcommand("numbering", "The table of the world's mobile numbers that a server uses")->require_subcommand(1);
    const auto add = [&](const char* name, const char* says, int (*run)(const NumberingOptions&)) {
        auto* one = numbering->add_subcommand(name, says);
        auto* config = one->add_option("--config", options->config, "The configuration file of a production server, which says where the table is");
        one->add_option("--data", options->data_directory, "Where the data are (./openrd-data)")->excludes(config);
        one->add_option("--numbering", options->path, "The server's setting numbering_file (numbering.json in the data directory)")->excludes(config);
        one->final_callback([options, run, &command] {
            command = [options, run] {
                if (!options->config.empty()) {
                    const auto config_read = read_config(options->config);
                    options->data_directory = config_read.place.directory;
                    options->path = config_read.serve.settings.numbering_file;
                }
                return run(*options);
            };
        });
        return one;
    };
    add("update", "Check a table and put it where a server reads it; tell the server with SIGHUP", numbering_update)
        ->add_option("file", options->file, "The new table (tools/numbering_from_npm.js)")
        ->required();
    add("status", "Which table a server uses; exits 1 when it is older than six months", numbering_status);
}

void add_outbox(CLI::App& app, Command& command) {
    auto options = std::make_shared<OutboxOptions>();
    auto* outbox = app.add_subcommand("outbox", "Messages on their way: what became of them")->require_subcommand(1);
    const auto add = [&](const char* name, const char* says, int (*run)(const OutboxOptions&)) { return add_with_place(outbox, name, says, options, run, command); };
    const auto with_format = [&](CLI::App* one) {
        one->add_option("--format", options->format, "json or text (json)");
        return one;
    };
    const auto with_id = [&](CLI::App* one) { one->add_option("message", options->id, "The message's id, as the list shows it")->required(); };
    auto* list = with_format(add("list", "List messages, the newest first; numbers are masked", list_outbox));
    list->add_flag("--dead", options->dead, "Only dead letters: failed, unknown_final and expired");
    list->add_option("--state", options->state, "Only those in this state");
    list->add_option("--limit", options->limit, "How many at most (100)");
    with_id(with_format(add("show", "Show one message and what happened to it", show_message)));
    with_id(add("retry", "Send a dead letter again while its code lives; recorded in the audit log", retry_outbox_message));
}

void add_keys(CLI::App& app, Command& command) {
    auto options = std::make_shared<KeysOptions>();
    auto* keys = app.add_subcommand("keys", "The keys of the key file, beside a running server; recorded in the audit log")->require_subcommand(1);
    const auto add = [&](const char* name, const char* says, int (*run)(const KeysOptions&)) { return add_with_place(keys, name, says, options, run, command); };
    add("list", "Show the keys and what each is used for", list_keys);
    add("add", "Put a new key into the key file, to be copied to other servers before it is used", add_key);
    auto* rotate = add("rotate", "Use the newest key for something, and bring what is under the older one under it", rotate_key);
    rotate->add_option("kind", options->kind, "code, index, encryption or checkpoint")->required();
    add("retire", "Take a key out of the key file for which nothing is left", retire_key)->add_option("key", options->key_id, "Its number")->required();
}

void add_audit(CLI::App& app, Command& command) {
    auto* audit = app.add_subcommand("audit", "The audit log: export it, verify an export")->require_subcommand(1);
    auto exporting = std::make_shared<ExportCommand>();
    add_with_place(audit, "export", "Write the log and its checkpoints into files", exporting, export_audit, command)
        ->add_option("--out", exporting->out, "Directory to write")
        ->required();
    auto verifying = std::make_shared<VerifyCommand>();
    auto* verify_command = audit->add_subcommand("verify", "Verify an export, offline; exits 1 when it was changed");
    verify_command->add_option("directory", verifying->directory, "The export")->required();
    verify_command->add_option("--key", verifying->key_file, "The log's public key, from a place that you trust")->required();
    verify_command->final_callback([verifying, &command] { command = [verifying] { return verify_audit(*verifying); }; });
}

void add_backup(CLI::App& app, Command& command) {
    auto saved = std::make_shared<BackupCommand>();
    add_with_place(&app, "backup", "Write the database into a file, beside a running server or without one; the key file is not in it", saved, back_up, command)
        ->add_option("--out", saved->file, "The file to write")
        ->required();
    auto restored = std::make_shared<BackupCommand>();
    add_with_place(&app, "restore", "Make a database from such a file, where there is none; its key file must be there", restored, restore, command)
        ->add_option("--in", restored->file, "The file to read")
        ->required();
    auto copied = std::make_shared<CopyCommand>();
    auto* copy_command = app.add_subcommand("copy", "Copy a database into another place that is empty, from a file to PostgreSQL or back, and compare the two; no server may run");
    copy_command->add_option("--from", copied->from, "A data directory, or postgresql://user@host/name")->required();
    copy_command->add_option("--to", copied->to, "A data directory, or postgresql://user@host/name")->required();
    copy_command->add_option("--key-file", copied->key_file, "The key file of both (openrd.key in the data directory)");
    copy_command->final_callback([copied, &command] { command = [copied] { return copy(*copied); }; });
}

void add_the_rest(CLI::App& app, Command& command) {
    auto described = std::make_shared<DescribeCommand>();
    auto* describe_command = app.add_subcommand("describe", "Show what an operation takes, answers and refuses");
    describe_command->add_option("action", described->action, "The operation; all of them when it is left out");
    describe_command->add_option("--version", described->version, "Of the product, such as 2022-04-19; all of them when it is left out");
    describe_command->add_option("--format", described->format, "markdown, json or openapi (markdown)");
    describe_command->final_callback([described, &command] { command = [described] { return describe(*described); }; });

    auto place = std::make_shared<DataPlace>();
    auto* migrate_command = add_place(app.add_subcommand("migrate", "Bring a database up to this binary's schema"), *place);
    auto distributed = std::make_shared<std::string>();
    migrate_command->add_option("--distributed", *distributed, "citus: make the schema if need be, and distribute its tables over the cluster's nodes");
    migrate_command->final_callback([place, distributed, &command] { command = [place, distributed] { return migrate(place_of(*place), *distributed); }; });

    auto* settings_command = app.add_subcommand("settings", "")->group("");
    auto markdown = std::make_shared<bool>(false);
    settings_command->add_flag("--markdown", *markdown)->required();
    settings_command->final_callback([markdown, &command] {  // which the flag writes into
        command = [] {
            std::fputs(settings_as_markdown().c_str(), stdout);
            return 0;
        };
    });

    app.add_subcommand("version", "Commit, contract date, numbering data's date")->final_callback([&command] { command = [] { return print_version(); }; });
}

int refuse(std::string_view line, int status) {
    std::fprintf(stderr, "openrd: %.*s\n", static_cast<int>(line.size()), line.data());
    return status;
}

int run(const Command& command) {
    try {
        return command();
    } catch (const Failure& failure) {
        return refuse(failure.what(), failure.status());
    } catch (const std::exception& error) {  // db::Error, keys::FileError, std::system_error: each one clear line
        return refuse(error.what(), unusable_status);
    }
}

}  // namespace

int main(int argc, char** argv) {
    forbid_core_dumps();  // every command that opens the key file, and none is told apart here
    CLI::App app("An open resource directory: multi-account governance with the vendor's own API", "openrd");
    app.require_subcommand(1);
    Command command;
    add_serve(app, command);
    add_init(app, command);
    add_call(app, command);
    add_account(app, command);
    add_suppress(app, command);
    add_limits(app, command);
    add_numbering(app, command);
    add_outbox(app, command);
    add_keys(app, command);
    add_audit(app, command);
    add_backup(app, command);
    add_the_rest(app, command);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) {  // --help
        return app.exit(asked);
    } catch (const CLI::ParseError& error) { return refuse(error.what(), unusable_status); }
    return run(command);
}
