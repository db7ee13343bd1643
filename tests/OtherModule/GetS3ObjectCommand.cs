using System.Management.Automation;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace OtherModule;

[Cmdlet(VerbsCommon.Get, "S3Object")]
[OutputType(typeof(S3Object))]
public sealed class GetS3ObjectCommand : PSCmdlet
{
    [Parameter(Mandatory = true)]
    public string BucketName { get; set; } = "";

    [Parameter]
    public string? KeyPrefix { get; set; }

    [Parameter(Mandatory = true)]
    public string EndpointUrl { get; set; } = "";

    [Parameter(Mandatory = true)]
    public string AccessKey { get; set; } = "";

    [Parameter(Mandatory = true)]
    public string SecretKey { get; set; } = "";

    protected override void EndProcessing()
    {
        using var client = new AmazonS3Client(
            new BasicAWSCredentials(AccessKey, SecretKey), new AmazonS3Config { ServiceURL = EndpointUrl, ForcePathStyle = true, AuthenticationRegion = "us-east-1" });

        WriteObject(client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = BucketName, Prefix = KeyPrefix }).GetAwaiter().GetResult().S3Objects, enumerateCollection: true);
    }
}
