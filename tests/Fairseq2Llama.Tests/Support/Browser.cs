using System.Text.Json;
using OpenQA.Selenium;
using OpenQA.Selenium.Chrome;

namespace Fairseq2Llama.Tests.Support;

/// <summary>A headless Chromium of this system. Where there is none such tests are skipped, except in CI, where it must be there.</summary>
public sealed class Browser : IDisposable
{
    private static readonly string[] Programs = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    private static readonly string[] Drivers = ["/usr/bin/chromedriver", "/usr/lib/chromium-browser/chromedriver"];

    private readonly Lazy<ChromeDriver> _driver = new(Start);

    /// <summary>What the page is asked in.</summary>
    internal ChromeDriver Driver => _driver.Value;

    /// <summary>Opens a file in a window of some size, which is that of the page, and forgets what was recorded before.</summary>
    internal void Open(string path, int width, int height)
    {
        Resize(width, height);
        Emulate("light");
        TakeLog(LogType.Browser);
        TakeLog("performance");
        Driver.Navigate().GoToUrl(new Uri(path).AbsoluteUri);
        AwaitFrames();
    }

    internal void Resize(int width, int height) => Send(
        "Emulation.setDeviceMetricsOverride", ("width", width), ("height", height), ("deviceScaleFactor", 1), ("mobile", width < 500));

    /// <summary>As if the reader's system were light or dark.</summary>
    internal void Emulate(string scheme, string media = "screen") => Send(
        "Emulation.setEmulatedMedia",
        ("media", media),
        ("features", new[] { new Dictionary<string, object> { ["name"] = "prefers-color-scheme", ["value"] = scheme } }));

    /// <summary>Presses keys, one after the other.</summary>
    internal void Press(string keys)
    {
        new OpenQA.Selenium.Interactions.Actions(Driver).SendKeys(keys).Perform();
        AwaitFrames();
    }

    internal void Send(string command, params (string Name, object Value)[] parameters) =>
        Driver.ExecuteCdpCommand(command, parameters.ToDictionary(parameter => parameter.Name, parameter => (object?)parameter.Value));

    /// <summary>Asks the page something in JavaScript. The page's own policy does not hold for that.</summary>
    internal T Ask<T>(string script) => JsonSerializer.Deserialize<T>((string)Driver.ExecuteScript($"return JSON.stringify((() => {{ {script} }})())")!)!;

    /// <summary>What the browser has recorded since it was last asked.</summary>
    internal IReadOnlyList<string> TakeLog(string kind) => [.. Driver.Manage().Logs.GetLog(kind).Select(entry => entry.Message)];

    /// <summary>What it has asked for since it was last asked that: the addresses.</summary>
    internal string[] TakeRequests() =>
    [
        .. from entry in TakeLog("performance")
           let message = JsonDocument.Parse(entry).RootElement.GetProperty("message")
           where message.GetProperty("method").GetString() == "Network.requestWillBeSent"
           select message.GetProperty("params").GetProperty("request").GetProperty("url").GetString(),
    ];

    /// <summary>Where the keyboard is: the element's name, class and text.</summary>
    internal string Focused() => Ask<string>("const e = document.activeElement; return e.localName + '.' + e.className + ' ' + e.textContent.slice(0, 40)");

    public void Dispose()
    {
        if (_driver.IsValueCreated)
        {
            _driver.Value.Dispose();
        }
    }

    /// <summary>On a busy machine keys get lost before a page is first drawn, and what they do shows only in the next frame.</summary>
    private void AwaitFrames()
    {
        Send("Emulation.setFocusEmulationEnabled", ("enabled", true));
        Driver.ExecuteAsyncScript("const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done));");
    }

    private static ChromeDriver Start()
    {
        CategoryAttribute.Require();
        var program = Array.Find(Programs, File.Exists);
        var driver = Array.Find(Drivers, File.Exists);

        if (program is null || driver is null)
        {
            const string Reason = "needs Chromium and its driver (Debian: chromium, chromium-driver)";
            Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") is null, Reason);
            Assert.Fail(Reason);
        }

        var options = new ChromeOptions { BinaryLocation = program };
        options.AddArguments("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--force-device-scale-factor=1", "--hide-scrollbars");
        options.SetLoggingPreference(LogType.Browser, OpenQA.Selenium.LogLevel.All);
        options.SetLoggingPreference("performance", OpenQA.Selenium.LogLevel.All);

        // Root has no sandbox.
        if (Environment.IsPrivilegedProcess)
        {
            options.AddArgument("--no-sandbox");
        }

        var service = ChromeDriverService.CreateDefaultService(Path.GetDirectoryName(driver), Path.GetFileName(driver));
        service.SuppressInitialDiagnosticInformation = true;
        return new ChromeDriver(service, options);
    }
}
