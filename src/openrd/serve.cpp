#include "openrd/serve.hpp"

#include "audit/sealer.hpp"
#include "delivery/dispatcher.hpp"
#include "delivery/inbox.hpp"
#include "delivery/receipt_intake.hpp"
#include "openrd/data.hpp"
#include "openrd/endpoint.hpp"
#include "openrd/failure.hpp"
#include "openrd/gateways.hpp"
#include "openrd/key_watch.hpp"
#include "openrd/metrics_page.hpp"
#include "openrd/notify.hpp"
#include "openrd/numbering_file.hpp"
#include "openrd/process.hpp"
#include "openrd/receipts_page.hpp"
#include "openrd/risk_record.hpp"
#include "pipeline/pipeline.hpp"
#include "sandbox/answers.hpp"
#include "sandbox/control.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <sstream>

namespace openrd {
namespace {

// Together with what follows less than the ten seconds that SIGTERM gives.
constexpr std::int64_t drain_ms = 7'000;

// The control endpoints, and the API for everything else.
class Router final : public pipeline::Handler {
  public:
    Router(pipeline::Handler& control, pipeline::Handler& api) : control_(control), api_(api) {}
    void handle(const pipeline::Request& request, pipeline::Done done) override { (sandbox::is_control(request.target) ? control_ : api_).handle(request, std::move(done)); }

  private:
    pipeline::Handler& control_;
    pipeline::Handler& api_;
};

// The API in production: what is the sandbox's or the admin listener's is not there.
class Outside final : public pipeline::Handler {
  public:
    explicit Outside(pipeline::Handler& api) : api_(api) {}
    void handle(const pipeline::Request& request, pipeline::Done done) override {
        if (sandbox::is_control(request.target)) return done(sandbox::problem(404, "There is no such page."));
        api_.handle(request, std::move(done));
    }

  private:
    pipeline::Handler& api_;
};

constexpr std::string_view no_channel = "No channel for messages is configured: codes cannot be sent.";
constexpr std::string_view no_receipts = "A channel has receipts_url, and there is no admin.listen that takes receipts: what becomes of its messages is not learned.";
constexpr std::string_view no_country = "No country is listed in strict.countries: codes cannot be sent.";

base::Settings settings_of(const ServeOptions& options, const base::DeliverySettings& delivery) {
    auto settings = options.settings;
    settings.messages = settings.sandbox || reaches_phones(delivery);
    return settings;
}

// The admin listener: what gateways tell, and the pages for operators.
class Admin final : public pipeline::Handler {
  public:
    Admin(pipeline::Handler& receipts, pipeline::Handler& control) : receipts_(receipts), control_(control) {}
    void handle(const pipeline::Request& request, pipeline::Done done) override {
        (delivery::ReceiptIntake::concerns(request.target) ? receipts_ : control_).handle(request, std::move(done));
    }

  private:
    pipeline::Handler& receipts_;
    pipeline::Handler& control_;
};

// All that lives while the server does, in the order in which it is made; it goes in the other one.
class Running {
  public:
    // `tls`: for options.tls_listen; null without it. It outlives the server.
    Running(const ServeOptions& options, const base::DeliverySettings& delivery, Data data, const NumberingInUse& numbering, net::TlsContext* tls);
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    // Ends what has begun, in at most ten seconds.
    ~Running();

    void start();
    // Once a second.
    void housekeep();
    // SIGHUP.
    void reload();
    // Where the API is: in the clear when it is, and then by TLS as well when it is.
    std::vector<std::string> urls() const;
    std::optional<std::string> admin_address() const;

  private:
    void pause();
    void forget();
    std::vector<std::string> troubles() const;
    std::vector<std::string> warnings() const;
    std::string metrics() const;

    const base::Settings settings_;
    const bool receipts_are_lost_;
    base::Clock clock_;
    Data data_;
    KeyWatch key_watch_{data_.key_file, *data_.engine, data_.ring};
    delivery::Inbox inbox_;
    delivery::InboxChannel channel_{inbox_};
    Gateways gateways_;
    delivery::Counters counters_;
    delivery::Dispatcher dispatcher_;
    delivery::ReceiptIntake receipts_;
    ReceiptsPage receipts_page_{receipts_};
    const NumberingInUse& numbering_;
    audit::Sealer sealer_;
    pipeline::Pipeline pipeline_;
    sandbox::Gate gate_{pipeline_};
    sandbox::Reset reset_;
    sandbox::Control control_;
    Router router_{control_, gate_};
    Outside outside_{pipeline_};
    Admin admin_pages_{receipts_page_, control_};
    net::TlsContext* const tls_;
    net::Server server_;
    std::optional<net::Server> admin_;
};

// A few people and a scraper.
base::Settings admin_settings(base::Settings settings) {
    settings.threads = 1;
    settings.http.connections = 64;
    return settings;
}

void log_sealer(std::string_view what) { base::log::error("the audit log is not sealed", {{"reason", what}}); }

Running::Running(const ServeOptions& options, const base::DeliverySettings& delivery, Data data, const NumberingInUse& numbering, net::TlsContext* tls)
    : settings_(settings_of(options, delivery)),
      receipts_are_lost_(!options.admin_listen && std::ranges::any_of(delivery.channels, [](const base::ChannelSettings& channel) { return !channel.receipts_url.empty(); })),
      data_(std::move(data)), gateways_({.engine = *data_.engine, .ring = data_.ring, .clock = clock_, .inbox = settings_.sandbox ? &channel_ : nullptr, .settings = delivery}),
      dispatcher_(*data_.engine, data_.ring, clock_, gateways_.router(),
                  {.workers = delivery.workers,
                   .keep_ms = delivery.keep_ms,
                   .refuse = [this](db::Transaction& tx, const delivery::Destination& to,
                                    std::int64_t now_ms) { return to.number.empty() ? std::string() : refuse_suppressed(tx, data_.ring, to.number, now_ms); },
                   .opted_out = [this](db::Transaction& tx, const delivery::Destination& to, std::string_view channel,
                                       std::int64_t now_ms) { suppress_opted_out(tx, data_.ring, to.number, channel, now_ms); },
                   .counters = &counters_}),
      receipts_(*data_.engine, data_.ring, clock_, gateways_.router(), &counters_), numbering_(numbering),
      sealer_(*data_.engine, data_.ring, clock_,
              {.origin = data_.audit_origin, .interval_ms = settings_.audit.checkpoint_interval_ms, .may_begin_anew = settings_.sandbox, .report = log_sealer}),
      pipeline_(*data_.engine, data_.ring, numbering.table(), clock_, settings_), reset_({.engine = *data_.engine,
                                                                                          .ring = data_.ring,
                                                                                          .clock = clock_,
                                                                                          .gate = gate_,
                                                                                          .audit_origin = data_.audit_origin,
                                                                                          .in_flight = [this] { return pipeline_.in_flight(); },
                                                                                          .pause = [this] { pause(); },
                                                                                          .forget = [this] { forget(); },
                                                                                          .resume = [this] { dispatcher_.start(); }}),
      control_({.sandbox = settings_.sandbox,
                .listen_address = options.listen ? options.listen->address : options.tls_listen->address,
                .engine = *data_.engine,
                .clock = clock_,
                .inbox = inbox_,
                .reset = reset_,
                .clock_moved = [this] { dispatcher_.wake(); },
                .troubles = [this] { return troubles(); },
                .warnings = [this] { return warnings(); },
                .metrics = [this] { return metrics(); }}),
      tls_(tls), server_(options.listen, settings_.sandbox ? static_cast<pipeline::Handler&>(router_) : outside_, settings_, clock_, [this] { data_.engine->idle(); }) {
    server_.trust(settings_.trusted_proxies);
    if (options.tls_listen && tls_) server_.listen_tls(*options.tls_listen, *tls_);
    if (options.admin_listen) admin_.emplace(*options.admin_listen, admin_pages_, admin_settings(settings_), clock_, [this] { data_.engine->idle(); });
}

std::vector<std::string> Running::urls() const {
    std::vector<std::string> all;
    if (const auto listen = server_.plain()) all.push_back("http://" + written(*listen));
    if (const auto listen = server_.encrypted()) all.push_back("https://" + written(*listen));
    return all;
}

std::vector<std::string> Running::warnings() const {
    auto all = dispatcher_.troubles();
    if (!settings_.messages) all.emplace_back(no_channel);
    if (receipts_are_lost_) all.emplace_back(no_receipts);
    if (settings_.strict.countries_by_list && settings_.strict.countries.empty()) all.emplace_back(no_country);
    if (auto old = numbering_.warning(base::real_now_ms()); !old.empty()) all.push_back(std::move(old));
    return all;
}

std::string Running::metrics() const {
    std::string text;
    pipeline_.metrics().write(text);
    append_gauges(text, {.in_flight = pipeline_.in_flight(),
                         .write_backlog = data_.engine->backlog(),
                         .connections = server_.connections(),
                         .audit_sealed = sealer_.sealed(),
                         .audit_halted = sealer_.halted(),
                         .takes_writes = pipeline_.takes_writes(),
                         .outbox = outbox_by_state(*data_.engine),
                         .certificate_expires_s = tls_ ? std::optional(tls_->expires_at_s()) : std::nullopt});
    delivery::append_prometheus(text, counters_.snapshot());
    delivery::append_prometheus(text, dispatcher_.channels());
    return text;
}

std::optional<std::string> Running::admin_address() const {
    if (!admin_) return {};
    return written({.address = admin_->address(), .port = admin_->port()});
}

void Running::start() {
    for (const auto& warning : warnings()) base::log::warning(warning);
    if (admin_) admin_->start();
    server_.start();
    dispatcher_.start();
    sealer_.start();
}

std::vector<std::string> Running::troubles() const {
    std::vector<std::string> all;
    if (!pipeline_.takes_writes()) all.emplace_back("The database takes no writes.");
    if (sealer_.halted()) all.emplace_back("The audit log is not sealed any more: see the server's log.");
    if (data_.ring.trouble()) all.emplace_back("A key that the database uses is not in this server's key file: see the server's log.");
    return all;
}

void Running::housekeep() {
    try {
        key_watch_.look();
        pipeline_.housekeep();
    } catch (const std::exception& error) { base::log::warning("housekeeping failed", {{"reason", error.what()}}); }
    data_.engine->idle();
}

void Running::reload() {
    try {
        key_watch_.look();
        if (tls_) tls_->reload();
        base::log::info("reloaded");
    } catch (const std::exception& error) { base::log::error("not reloaded: the old certificate stays in use", {{"reason", error.what()}}); }
}

void Running::pause() {
    control_.end_waits();
    dispatcher_.stop();
}

void Running::forget() {
    inbox_.clear();
    pipeline_.forget();
    sealer_.reset();
}

Running::~Running() {
    control_.drain();
    server_.drain(drain_ms);
    reset_.stop();
    dispatcher_.stop();
    pipeline_.flush();
    sealer_.stop();
    // Last: until here it says that the server is stopping.
    if (admin_) admin_->drain(0);
    data_.engine->close();
}

// A bad file is found at once. The built-in table is made beside the database's own start: it is big, and nobody needs it before the
// first request.
std::future<std::unique_ptr<NumberingInUse>> begin_numbering(const ServeOptions& options) {
    const auto& configured = options.settings.numbering_file;
    auto path = numbering_path(configured, options.memory ? "" : options.data_directory);
    auto own = NumberingInUse::read(path, !configured.empty());
    return std::async(std::launch::async, [path = std::move(path), own = std::move(own)] { return std::make_unique<NumberingInUse>(path, own); });
}

std::vector<net::Listen> listeners(const ServeOptions& options) {
    std::vector<net::Listen> all;
    for (const auto& listen : {options.listen, options.tls_listen, options.admin_listen})
        if (listen) all.push_back(*listen);
    return all;
}

Data open_data(const ServeOptions& options, const DataPlace& place) {
    const auto& settings = options.settings;
    if (!settings.sandbox) return open_production_data(place, settings);
    return open_sandbox_data(place, !options.memory, settings, base::Clock());
}

// A line for each listener: the address in the clear as it always was, the others with what they speak.
std::string ready_text(const Running& running) {
    std::string text;
    for (const auto& url : running.urls()) text += (text.empty() ? "" : "\n") + (url.starts_with("http://") ? url.substr(7) : url);
    if (const auto admin = running.admin_address()) text += "\nadmin " + *admin;
    return text;
}

// Until it is told to end.
struct LookedAfter {
    Running& running;
    NumberingInUse& numbering;
};
void look_after(const LookedAfter& all, const Signals& signals, const Notifier& notifier, const std::string& status) {
    const auto pace_ms = std::min<std::int64_t>(base::second_ms, notifier.watchdog_ms().value_or(2 * base::second_ms) / 2);
    while (true) {
        const auto told = signals.wait(pace_ms);
        if (told == Signals::Told::end) return;
        if (told == Signals::Told::reload) {
            notifier.reloading();
            all.running.reload();
            all.numbering.reload();
            notifier.ready(status);
        }
        all.running.housekeep();
        all.numbering.housekeep(base::real_now_ms());
        if (notifier.watchdog_ms()) notifier.alive();
    }
}

}  // namespace

int serve(const ServeOptions& options) {
    forbid_core_dumps();
    allow_many_connections();
    base::log::set_level(options.log_level);
    const Notifier notifier;
    const Signals signals;
    ReadyFile ready_file(options.ready_file);
    for (const auto& listen : listeners(options)) try_to_listen(listen);
    std::optional<net::TlsContext> tls;
    if (options.tls_listen) tls.emplace(options.tls_cert, options.tls_key);
    auto beginning = begin_numbering(options);

    std::optional<PrivateDirectory> memory;
    if (options.memory) memory.emplace();
    const DataPlace place{.directory = memory ? memory->path() : options.data_directory, .key_file = options.key_file, .url = options.database_url};
    // Nodes on one PostgreSQL know each other's nonces: any number of them may run.
    std::optional<ServerLock> lock;
    if (place.url.empty()) lock.emplace(place.directory, options.settings.sandbox ? ServerLock::NewDirectory::made : ServerLock::NewDirectory::refused);
    const auto delivery = delivery_settings(options.document.get());
    auto data = open_data(options, place);
    const auto numbering = beginning.get();
    {
        Running running(options, delivery, std::move(data), *numbering, tls ? &*tls : nullptr);
        running.start();
        const auto urls = fmt::format("{}", fmt::join(running.urls(), " and "));
        const auto admin = running.admin_address();
        std::printf("openrd is ready on %s\n", urls.c_str());
        std::fflush(stdout);
        ready_file.write(ready_text(running));
        base::log::info("ready", {{"address", urls}, {"admin", admin.value_or("none")}});
        notifier.ready("serving on " + urls);
        look_after({running, *numbering}, signals, notifier, "serving on " + urls);
        base::log::info("stopping");
        notifier.stopping();
        ready_file.remove();
    }
    base::log::info("stopped");
    return 0;
}

}  // namespace openrd
