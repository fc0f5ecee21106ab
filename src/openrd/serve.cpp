#include "openrd/serve.hpp"

#include "audit/sealer.hpp"
#include "delivery/dispatcher.hpp"
#include "delivery/inbox.hpp"
#include "openrd/data.hpp"
#include "openrd/endpoint.hpp"
#include "openrd/failure.hpp"
#include "openrd/numbering_file.hpp"
#include "openrd/process.hpp"
#include "pipeline/pipeline.hpp"
#include "sandbox/control.hpp"

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

// All that lives while the server does, in the order in which it is made; it goes in the other one.
class Running {
  public:
    Running(const ServeOptions& options, Data data, const phone::Numbering& numbering);
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    // Ends what has begun, in at most ten seconds.
    ~Running();

    void start();
    // Once a second.
    void housekeep();
    std::string address() const { return written({.address = server_.address(), .port = server_.port()}); }

  private:
    void pause();
    void forget();

    const base::Settings settings_;
    base::Clock clock_;
    Data data_;
    delivery::Inbox inbox_;
    delivery::InboxChannel channel_{inbox_};
    delivery::Dispatcher dispatcher_;
    audit::Sealer sealer_;
    pipeline::Pipeline pipeline_;
    sandbox::Gate gate_{pipeline_};
    sandbox::Reset reset_;
    sandbox::Control control_;
    Router router_{control_, gate_};
    net::Server server_;
};

Running::Running(const ServeOptions& options, Data data, const phone::Numbering& numbering)
    : settings_(options.settings), data_(std::move(data)), dispatcher_(*data_.engine, data_.ring, clock_, {&channel_}),
      sealer_(*data_.engine, data_.ring, clock_,
              {.origin = data_.audit_origin, .interval_ms = settings_.audit.checkpoint_interval_ms, .may_begin_anew = settings_.sandbox, .report = {}}),
      pipeline_(*data_.engine, data_.ring, numbering, clock_, settings_), reset_({.engine = *data_.engine,
                                                                                  .ring = data_.ring,
                                                                                  .clock = clock_,
                                                                                  .gate = gate_,
                                                                                  .audit_origin = data_.audit_origin,
                                                                                  .in_flight = [this] { return pipeline_.in_flight(); },
                                                                                  .pause = [this] { pause(); },
                                                                                  .forget = [this] { forget(); },
                                                                                  .resume = [this] { dispatcher_.start(); }}),
      control_(
          {.sandbox = settings_.sandbox,
           .listen_address = options.listen.address,
           .engine = *data_.engine,
           .clock = clock_,
           .inbox = inbox_,
           .reset = reset_,
           .clock_moved = [this] { dispatcher_.wake(); },
           .troubles = [this] { return sealer_.halted() ? std::vector<std::string>{"The audit log is not sealed any more: see the server's log."} : std::vector<std::string>{}; }}),
      server_(options.listen, router_, settings_, clock_, [this] { data_.engine->idle(); }) {}

void Running::start() {
    server_.start();
    dispatcher_.start();
    sealer_.start();
}

void Running::housekeep() {
    try {
        pipeline_.housekeep();
    } catch (const std::exception& error) { base::log::warning("housekeeping failed", {{"reason", error.what()}}); }
    data_.engine->idle();
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

}  // namespace

int serve(const ServeOptions& options) {
    forbid_core_dumps();
    allow_many_connections();
    base::log::set_level(options.log_level);
    const Signals signals;
    ReadyFile ready_file(options.ready_file);
    try_to_listen(options.listen);
    auto beginning = begin_numbering(options);

    std::optional<PrivateDirectory> memory;
    if (options.memory) memory.emplace();
    const DataPlace place{.directory = memory ? memory->path() : options.data_directory, .key_file = options.key_file, .url = options.database_url};
    auto data = open_sandbox_data(place, !options.memory, options.settings, base::Clock());
    std::optional<ServerLock> lock;
    if (place.url.empty()) lock.emplace(place.directory);
    const auto numbering = beginning.get();
    {
        Running running(options, std::move(data), numbering->table());
        running.start();
        const auto address = running.address();
        std::printf("openrd is ready on http://%s\n", address.c_str());
        std::fflush(stdout);
        ready_file.write(address);
        base::log::info("ready", {{"address", address}});
        while (!signals.wait(base::second_ms)) {
            running.housekeep();
            numbering->housekeep(base::real_now_ms());
        }
        base::log::info("stopping");
        ready_file.remove();
    }
    base::log::info("stopped");
    return 0;
}

}  // namespace openrd
