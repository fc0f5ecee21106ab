#include "delivery/libcurl.hpp"

#include <dlfcn.h>

namespace openrd::delivery {
namespace {

class Loaded : public Libcurl {
  public:
    Loaded() {
        // Never closed: what libcurl has set up in the process stays.
        library_ = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
        if (!library_) throw std::runtime_error("libcurl.so.4 is not installed (Debian: libcurl4)");
        load(easy_init, "curl_easy_init");
        load(easy_cleanup, "curl_easy_cleanup");
        load(easy_setopt, "curl_easy_setopt");
        load(easy_perform, "curl_easy_perform");
        load(easy_getinfo, "curl_easy_getinfo");
        load(easy_strerror, "curl_easy_strerror");
        load(slist_append, "curl_slist_append");
        load(slist_free_all, "curl_slist_free_all");
        load(getdate, "curl_getdate");
        CURLcode (*global_init)(long) = nullptr;
        load(global_init, "curl_global_init");
        if (global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw std::runtime_error("libcurl cannot be used");
    }

  private:
    template <class Function> void load(Function& function, const char* name) {
        function = reinterpret_cast<Function>(dlsym(library_, name));
        if (!function) throw std::runtime_error(std::string("libcurl.so.4 has no ") + name);
    }
    void* library_;
};

}  // namespace

const Libcurl& libcurl() {
    static const Loaded loaded;
    return loaded;
}

}  // namespace openrd::delivery
