namespace Fairseq2Llama.Tests.Support.S3;

/// <summary>How tests access a server.</summary>
internal static class S3Access
{
    extension(S3Server server)
    {
        /// <summary>How it is accessed by whoever may do everything.</summary>
        public StoreAccess Access
        {
            get
            {
                S3Profiles.Use();
                return new StoreAccess { EndpointUrl = server.Address, ProfileName = S3Profiles.Right };
            }
        }
    }
}
